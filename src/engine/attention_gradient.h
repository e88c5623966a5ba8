// The gradient of attend().
#pragma once

#include "engine/attention.h"

namespace zp {

/// What the gradient of attend()'s output says of its inputs; all of them one row per token.
/// Queries, keys and values are those that were attended, of whole sequences: every run begins at
/// its sequence's first token. dq, dk and dv are written. Each sum has one order, whatever the number of threads.
struct AttentionGradient {
  Matrix q;
  Matrix k;
  Matrix v;
  View2D<float> dq;
  View2D<float> dk;
  View2D<float> dv;

  void compute(Matrix gradient, std::span<const TokenRun> runs, const AttentionShape& shape,
               const Team& team) const;
};

}  // namespace zp
