// The error that coded weights leave in a linear layer's outputs.
#pragma once

#include <optional>
#include <span>

#include "base/parallel.h"
#include "grid/grid.h"
#include "kernel/energy.h"
#include "method/method.h"

namespace zp {

/// tr((W - Q) H (W - Q)^T), Q what rounding to nearest on ranges fitted as `fit` says makes of W,
/// weighted by the diagonal of H where it searches. moments: H, symmetric, w.cols wide. Infinity
/// for weights beyond the grid's limit. Same bits for any number of threads.
double output_error(const Grid& grid, Fit fit, Matrix w, Matrix moments, const Team& team);

/// tr(W H W^T) and tr(E H E^T), E = W - Q, with the inputs' second moments without their damping;
/// with importance alone it is H's diagonal. Nothing known: zeros. w, q: rows x columns. left: the
/// error, where it is known already.
Energy output_energy(Matrix w, Matrix q, const InputStatistics& inputs,
                     std::optional<double> left = {});

/// Errors of the same weights in each output as shares of what they were without a change, the
/// mean; what lost nothing loses 1 and what it loses now. No outputs: 1.
double mean_share(std::span<const double> with, std::span<const double> without);

}  // namespace zp
