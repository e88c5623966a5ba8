// The parameters an affine grid takes for a range.
#pragma once

#include <cstdint>

#include "grid/grid.h"

namespace zp {

/// r = scale (q - zero), or scale q + offset with Offset::min; q in [lowest, highest].
struct AffineParams {
  float scale;
  float offset;
  std::int32_t zero;
  int lowest;
  int highest;
};

/// As Fit::range has them for weights from lo to hi, both finite and within the grid's limit: what
/// the grid stores.
AffineParams affine_params(const AffineForm& form, double lo, double hi);

}  // namespace zp
