// Randomised Hadamard matrices: orthogonal, every entry of the same magnitude, n log n to apply.
//
// Q = (H (+) H (+) ...) diag(signs): blocks of Sylvester's H of the largest power of two that
// divides the width, times 1 / sqrt(block), and a random sign for each column. Widths that are no
// power of two are mixed within their blocks alone: known Hadamard matrices of other orders aren't
// used.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"

namespace zp {

/// Repeats: on n columns, a multiple of signs.size(), it stands n / signs.size() times.
struct Rotation {
  std::int64_t block = 1;    ///< a power of two that divides signs.size()
  std::vector<float> signs;  ///< 1 or -1; none: no rotation

  bool empty() const { return signs.empty(); }
  std::int64_t width() const { return static_cast<std::int64_t>(signs.size()); }
};

Rotation random_rotation(std::int64_t width, std::uint64_t seed);

/// x <- Q x. Each element is rounded log2(block) + 1 times.
void rotate(const Rotation& rotation, std::span<float> x) noexcept;
/// Of every column of x, whose first row is row `begin` of the whole, a multiple of the block:
/// whole blocks of rows.
void rotate_columns(const Rotation& rotation, std::int64_t begin, View2D<float> x) noexcept;

}  // namespace zp
