#include "base/size.h"

#include <array>
#include <charconv>

#include "base/error.h"

namespace zp {

std::optional<double> in_units(std::string_view text, std::span<const Unit> units) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  const std::string_view word = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.word == word) return value * unit.factor;
  }
  return std::nullopt;
}

std::int64_t parse_size(const std::string& text, const std::string& where) {
  static constexpr std::array kUnits = {
      Unit{"", 1},         Unit{"K", 0x1p10},   Unit{"M", 0x1p20},   Unit{"G", 0x1p30},
      Unit{"T", 0x1p40},   Unit{"KiB", 0x1p10}, Unit{"MiB", 0x1p20}, Unit{"GiB", 0x1p30},
      Unit{"TiB", 0x1p40}, Unit{"KB", 1e3},     Unit{"MB", 1e6},     Unit{"GB", 1e9},
      Unit{"TB", 1e12}};
  const std::optional<double> bytes = in_units(text, kUnits);
  if (bytes && *bytes >= 0 && *bytes < 9e18) return static_cast<std::int64_t>(*bytes);
  throw UsageError(where, "wrong size",
                   "a number with K, M, G, T, KiB, MiB, GiB, TiB (1024) or KB, MB, GB, TB (1000)",
                   text);
}

}  // namespace zp
