#include "report/explain_number.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "report/decimal.h"

namespace zp {
namespace {

constexpr std::array<const FloatFormat*, 6> kExplained = {&kFp32,    &kFp16,    &kBf16,
                                                          &kFp8E4m3, &kFp8E5m2, &kFp4E2m1};
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// The next value of larger magnitude: infinity past the largest where the format has one.
double next_out(const FloatFormat& f, std::uint64_t magnitude) {
  if (magnitude > f.max_code() || (magnitude == f.max_code() && !f.has_infinity())) return kNone;
  return decode(f, magnitude + 1);
}

// The next value of smaller magnitude; of zero, the smallest of the other sign.
double next_in(const FloatFormat& f, std::uint64_t magnitude) {
  if (magnitude > 0) return decode(f, magnitude - 1);
  return f.is_signed ? -decode(f, 1) : kNone;
}

StoredNumber stored_number(const FloatFormat& f, std::uint64_t code) {
  StoredNumber n{&f, code, decode(f, code), kNone, kNone};
  if (std::isnan(n.value)) return n;
  const std::uint64_t magnitude = code & f.magnitude_mask();
  const bool negative = (code & f.sign_bit()) != 0;
  // Plus zero makes 0 of -0.
  n.above = (negative ? -next_in(f, magnitude) : next_out(f, magnitude)) + 0.0;
  n.below = negative ? -next_out(f, magnitude) : next_in(f, magnitude);
  return n;
}

Json field(std::uint64_t bits, int count) {
  return {{"bits", binary(bits, count)}, {"field", bits}};
}

Json to_json(const StoredNumber& n, const std::optional<double>& asked) {
  const FloatFormat& f = *n.format;
  const std::uint64_t magnitude = n.code & f.magnitude_mask();
  const std::uint64_t exponent = magnitude >> f.fraction_bits;
  Json json = {{"format", f.name}, {"code", n.code}, {"bits", binary(n.code, f.bits)}};
  if (f.is_signed) json["sign"] = field((n.code & f.sign_bit()) != 0 ? 1 : 0, 1);
  json["exponent"] = field(exponent, f.exponent_bits);
  json["exponent"]["bias"] = f.bias;
  if (std::isfinite(n.value)) {
    json["exponent"]["power"] = std::max(static_cast<int>(exponent), f.has_zero ? 1 : 0) - f.bias;
  }
  if (f.fraction_bits > 0) {
    json["fraction"] = field(magnitude & f.fraction_mask(), f.fraction_bits);
  }
  json["value"] = n.value;
  json["decimal"] = stored_decimal(f, n.value);
  json["shortest"] = shortest_decimal(f, n.code);
  if (asked) {
    json["error"] = n.value - *asked;
    if (*asked != 0) json["relative_error"] = (n.value - *asked) / *asked;
  }
  json["below"] = n.below;
  json["above"] = n.above;
  const Spacing s = spacing(f);
  json["spacing"] = {{"near_zero", s.near_zero},
                     {"near_one", s.near_one},
                     {"here", spacing_at(f, n.code)},
                     {"near_largest", s.near_largest}};
  json["largest"] = decode(f, f.max_code());
  return json;
}

}  // namespace

double spacing_at(const FloatFormat& f, std::uint64_t code) {
  const std::uint64_t magnitude = code & f.magnitude_mask();
  if (magnitude > f.max_code()) return kNone;
  const std::uint64_t low = std::min(magnitude, f.max_code() - 1);
  return decode(f, low + 1) - decode(f, low);
}

Spacing spacing(const FloatFormat& f) {
  return {spacing_at(f, 0), spacing_at(f, encode(f, 1.0)), spacing_at(f, f.max_code())};
}

std::span<const FloatFormat* const> explained_formats() { return kExplained; }

const FloatFormat& explained_format(std::string_view name) {
  if (const FloatFormat* found = find_float_format(name)) return *found;
  std::string known;
  for (const FloatFormat* f : kFloatFormats)
    known += (known.empty() ? "" : ", ") + std::string(f->name);
  throw UsageError("`in`", "unknown number format", known, std::string(name));
}

std::uint64_t parse_code(std::string_view text, const FloatFormat& format) {
  int base = 10;
  std::string_view digits = text;
  if (text.starts_with("0b") || text.starts_with("0x")) {
    base = text[1] == 'b' ? 2 : 16;
    digits.remove_prefix(2);
  }
  std::uint64_t code = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
  const bool fits = format.bits == 64 || code >> format.bits == 0;
  if (error != std::errc() || end != digits.data() + digits.size() || !fits) {
    throw UsageError("`bits`", "no code of this format",
                     fmt::format("up to {} bits as 0b0101, 0x1f or decimal", format.bits),
                     std::string(text));
  }
  return code;
}

NumberExplanation explain_number(double asked, std::span<const FloatFormat* const> formats) {
  NumberExplanation explanation{asked, {}};
  for (const FloatFormat* f : formats) {
    explanation.stored.push_back(stored_number(*f, encode(*f, asked)));
  }
  return explanation;
}

NumberExplanation explain_code(std::uint64_t code, const FloatFormat& format) {
  return {std::nullopt, {stored_number(format, code)}};
}

Json to_json(const NumberExplanation& explanation) {
  Json json = Json::object();
  if (explanation.asked) {
    json["value"] = *explanation.asked;
    if (std::isfinite(*explanation.asked) && *explanation.asked != 0) {
      int exponent = 0;
      json["significand"] = 2 * std::frexp(*explanation.asked, &exponent);
      json["exponent"] = exponent - 1;
    }
  }
  json["formats"] = Json::array();
  for (const StoredNumber& n : explanation.stored) {
    json["formats"].push_back(to_json(n, explanation.asked));
  }
  return json;
}

}  // namespace zp
