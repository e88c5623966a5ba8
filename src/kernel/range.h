// Ranges of weights. Minimum and maximum don't depend on the order of the values, so every
// instruction set finds the same.
#pragma once

#include "base/view.h"

namespace zp {

struct Range {
  float lo = 0;
  float hi = 0;
};

/// Smallest and largest of `x`, which must not be empty and hold no NaN.
Range min_max(Floats x) noexcept;

/// Index of the first value that is NaN or whose magnitude exceeds `limit`; -1 if there is none.
std::int64_t first_beyond(Floats x, float limit) noexcept;

}  // namespace zp
