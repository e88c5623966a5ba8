// Grids whose own values are found again: coded by their range they decode to the same.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace zp {

/// Whether weights stored as `type` (a dtype's or grid's name) have values of the grid `spec`, which
/// its range finds again: scales are powers of two there (grid/microscaled_test.cc tries all). Two
/// grids of different bytes may have the same values.
inline bool found_again(std::string_view type, std::string_view spec) {
  constexpr std::array kFoundAgain = {"mxfp4", "mxfp8"};
  const auto name = [](std::string_view of) { return of.substr(0, of.find(':')); };
  return name(type) == name(spec) && std::ranges::count(kFoundAgain, name(spec)) > 0;
}

}  // namespace zp
