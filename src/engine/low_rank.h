// What an adapter of low rank adds to a linear, y += s B (A x), without the matrix that it is a
// change of (LoRA: Hu et al., 2021); and its gradients.
#pragma once

#include <vector>

#include "base/parallel.h"
#include "base/view.h"

namespace zp {

/// Borrowed.
struct LowRank {
  Matrix a;  ///< r x inputs
  Matrix b;  ///< outputs x r
  float scale = 1;
};

/// Row by row of x and y. Sums are those of kernel/matmul.h.
void add_low_rank(const LowRank& adapter, Matrix x, View2D<float> y, const Team& team);

/// In the shapes of the matrices.
struct LowRankGradient {
  std::vector<float> a;
  std::vector<float> b;
};

/// gradient: of y, rows as those of x. Adds to `of_x` what it says of x. Sums over rows run in ascending
/// order, whatever the number of threads.
LowRankGradient low_rank_gradient(const LowRank& adapter, Matrix x, Matrix gradient,
                                  View2D<float> of_x, const Team& team);

}  // namespace zp
