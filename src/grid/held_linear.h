// Under which parameters weights may lie on a linear grid (held.h).
#pragma once

#include "grid/linear_codes.h"

namespace zp {

/// So many ways.
int linear_ways(const LinearForm& form) noexcept;

/// Way i: as if the largest weight (with Offset::min: the distance from the smallest to the largest) had
/// the i-th code from the top. centre: z without Offset::zero. Returns false where there is no such way.
bool take_linear_way(const LinearForm& form, int centre, int i, Floats w,
                     LinearParams& params) noexcept;

/// What the grid's values are; centre: the code of 0, with zero-points or minima that in the middle.
Values linear_values(const LinearForm& form, int centre);

}  // namespace zp
