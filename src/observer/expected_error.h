// What a linear grid's codes lose of the values in a histogram.
//
// Values are taken as spread evenly over their bin, over which (x - Q(x))^2 is integrated exactly;
// Q(x) = s k + m, k the nearest to (x - m) / s that there is.
#pragma once

#include <span>

#include "grid/affine.h"
#include "observer/histogram.h"

namespace zp {

/// Mean of (x - Q(x))^2 over all values; 0 of none.
double expected_error(std::span<const HistogramPiece> pieces, const AffineParams& grid);
/// Mean of x^2.
double mean_square(std::span<const HistogramPiece> pieces);

}  // namespace zp
