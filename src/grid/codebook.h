// 4-bit codebooks with one scale for a group: r = s level(code).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "grid/grid.h"

namespace zp {

struct Codebook {
  std::string_view name;
  std::array<float, 16> levels;  ///< of each code; the largest magnitude is 1
  /// The different levels in ascending order, the last one again up to sixteen, and their codes.
  std::array<float, 16> sorted;
  std::array<std::uint8_t, 16> code;
  /// Middles between neighbours of `sorted`; above middles[k] lies sorted[k + 1].
  std::array<float, 15> middles;
};

/// What weights are multiplied by before they are compared with the levels; 0 for a scale too small
/// to invert, under which everything decodes to nothing.
float codebook_inverse(float scale) noexcept;

/// Index into `sorted` of the level nearest to w / scale, the lower one of two as near.
std::size_t codebook_nearest(const Codebook& book, float w, float inverse) noexcept;

/// A scale for the least sum of h (w - decoded)^2 of one group; h may be empty. A search.
float codebook_scale(const Codebook& book, Floats w, Floats h) noexcept;

}  // namespace zp
