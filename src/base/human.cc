#include "base/human.h"

#include <fmt/core.h>

#include <array>
#include <cmath>

namespace zp {
namespace {

constexpr std::array<std::string_view, 5> kBytes = {"B", "kB", "MB", "GB", "TB"};
constexpr std::array<std::string_view, 5> kNumbers = {"", "k", "M", "G", "T"};

struct Scaled {
  double value;
  std::string_view unit;
};

// Three digits must not round up to 1,000.
Scaled scaled(double value, const std::array<std::string_view, 5>& units) {
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= 1000;
  return {value, units[unit]};
}

// No exponent, whatever the size.
std::string three_digits(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

}  // namespace

std::string human_bytes(std::int64_t bytes) {
  const Scaled s = scaled(static_cast<double>(bytes), kBytes);
  return three_digits(s.value) + " " + std::string(s.unit);
}

std::string human_count(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string human_counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", human_count(count), noun, count == 1 ? "" : "s");
}

std::string human_number(double value) {
  const Scaled s = scaled(value, kNumbers);
  return three_digits(s.value) + (s.unit.empty() ? "" : " ") + std::string(s.unit);
}

std::string human_rate(double per_second, std::string_view unit) {
  if (!std::isfinite(per_second)) return "? " + std::string(unit) + "/s";
  if (unit == kBytes[0]) {
    const Scaled s = scaled(per_second, kBytes);
    return fmt::format("{} {}/s", three_digits(s.value), s.unit);
  }
  return fmt::format("{} {}/s", human_number(per_second), unit);
}

std::string human_duration(double seconds) {
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

}  // namespace zp
