// Amounts as people write them: a number and a unit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zp {

struct Unit {
  std::string_view word;
  double factor;
};

/// The number times its unit's factor; nothing for what is no number, or has another unit.
std::optional<double> in_units(std::string_view text, std::span<const Unit> units);

/// 2G or 2GiB, 500M or 500MiB, 64K, 4GB (10^9), plain bytes. Throws UsageError at `where`.
std::int64_t parse_size(const std::string& text, const std::string& where);

}  // namespace zp
