// The factor through which GPTQ spreads errors.
//
// H = sum x x^T over the inputs x of a linear layer, damped: + damp mean(diag H) on the diagonal. U
// is upper triangular with U^T U = H^-1 (Frantar et al., GPTQ, 2022: the Cholesky form). No inverse
// of H is formed: H = R R^T with R upper triangular, and U = R^-1.
//
// FP64 throughout, every sum in one order: the same bits for any number of threads. Columns that
// were never anything but zero get the damping alone, and give and take no error.
#pragma once

#include <vector>

#include "base/parallel.h"
#include "base/view.h"

namespace zp {

/// The transpose of U, n x n row after row, FP32, zeros above the diagonal. h: n x n, H in its
/// lower triangle; its values are lost. Where H is zero U is the unit matrix; where it isn't
/// positive definite for rounding, the damping is ten times larger, and so on. Throws Error when H
/// isn't finite.
std::vector<float> feedback_factor(View2D<double> h, double damp, const Team& team);

}  // namespace zp
