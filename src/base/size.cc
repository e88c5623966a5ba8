#include "base/size.h"

#include <array>
#include <charconv>
#include <string_view>

#include "base/error.h"

namespace zp {

std::int64_t parse_size(const std::string& text, const std::string& where) {
  struct Unit {
    std::string_view word;
    double bytes;
  };
  static constexpr std::array kUnits = {
      Unit{"", 1},         Unit{"K", 0x1p10},   Unit{"M", 0x1p20},   Unit{"G", 0x1p30},
      Unit{"T", 0x1p40},   Unit{"KiB", 0x1p10}, Unit{"MiB", 0x1p20}, Unit{"GiB", 0x1p30},
      Unit{"TiB", 0x1p40}, Unit{"KB", 1e3},     Unit{"MB", 1e6},     Unit{"GB", 1e9},
      Unit{"TB", 1e12}};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& u : kUnits) {
    const double bytes = value * u.bytes;
    if (error == std::errc() && unit == u.word && bytes >= 0 && bytes < 9e18)
      return static_cast<std::int64_t>(bytes);
  }
  throw UsageError(where, "wrong size",
                   "a number with K, M, G, T, KiB, MiB, GiB, TiB (1024) or KB, MB, GB, TB (1000)",
                   text);
}

}  // namespace zp
