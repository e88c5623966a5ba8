// A causal convolution of each column by itself: a sum over a token and those before it in its
// sequence, each times weights of its own.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"
#include "engine/attention.h"

namespace zp {

/// A token's sum begins with the bias and goes from the oldest token that it sees to itself, one
/// fused multiply-add each; what lies before the sequence is left out. So a row has the same bits
/// whichever rows are computed with it.
///
/// A run's state has a row for each token before the present one that can still be seen: that of
/// token t is row t modulo their number.
struct Convolution {
  Matrix taps;  ///< a row of weights for each token that is seen, the oldest first
  Floats bias;  ///< empty: none

  /// Row `row` of what comes of the run's rows of x, from these and the state before them.
  void compute(Matrix x, const TokenRun& run, Floats state, std::int64_t row,
               std::span<float> out) const;
  /// The state behind the run.
  void keep(Matrix x, const TokenRun& run, std::span<float> state) const;
};

}  // namespace zp
