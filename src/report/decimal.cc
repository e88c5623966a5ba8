#include "report/decimal.h"

#include <fmt/core.h>

#include <cmath>
#include <cstdlib>

namespace zp {
namespace {

// Digits that tell any two FP64 values apart.
constexpr int kFp64Digits = 17;
constexpr int kFp32Digits = 9;
// More than any FP64 value needs in full.
constexpr int kAllDigits = 800;

}  // namespace

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-infinity" : "infinity";
  return fmt::format("{:.{}g}", value, digits);
}

std::string grouped(double value) {
  if (!(std::fabs(value) < 1e15) || value != std::floor(value)) return significant(value, 6);
  std::string text = fmt::format("{:.0f}", std::fabs(value));
  for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, ",");
  return value < 0 ? "-" + text : text;
}

std::string binary(std::uint64_t bits, int count) {
  std::string text;
  for (int i = count; i-- > 0;) text += (bits >> i & 1) != 0 ? '1' : '0';
  return text;
}

std::string stored_decimal(const FloatFormat& format, double value) {
  std::string rounded = significant(value, kFp64Digits);
  const bool exact = rounded == significant(value, kAllDigits);
  if (exact || format.bits > kFp32.bits) return rounded;
  return significant(value, kFp32Digits);
}

std::string shortest_decimal(const FloatFormat& format, std::uint64_t code) {
  const double value = decode(format, code);
  if (!std::isfinite(value)) return significant(value, 1);
  for (int digits = 1; digits < kFp64Digits; ++digits) {
    const double candidate = std::strtod(significant(value, digits).c_str(), nullptr);
    if (encode(format, candidate) == code) return fmt::format("{}", candidate);
  }
  return significant(value, kFp64Digits);
}

}  // namespace zp
