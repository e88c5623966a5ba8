// The gradients of what carries a state over a sequence's tokens: linear attention and state spaces.
#pragma once

#include <span>

#include "base/parallel.h"
#include "engine/gated_delta.h"
#include "engine/selective_scan.h"

namespace zp {

/// Every run begins at its sequence's first token. Sums have one order, whatever the number of threads.
struct GatedDeltaGradient {
  const GatedDelta& of;
  Matrix qkv;  ///< what was read
  Matrix beta;
  Matrix decay;
  View2D<float> of_qkv;  ///< become their gradients
  View2D<float> of_beta;
  View2D<float> of_decay;

  /// gradient: of what was computed.
  void compute(Matrix gradient, std::span<const TokenRun> runs, const Team& team) const;
};

struct SelectiveScanGradient {
  const SelectiveScan& of;
  Matrix x;  ///< what was read
  Matrix steps;
  View2D<float> of_x;  ///< become their gradients
  View2D<float> of_steps;

  /// gradient: of what was computed.
  void compute(Matrix gradient, std::span<const TokenRun> runs, const Team& team) const;
};

/// Floats that gradients of one layer's states take, of a sequence of so many tokens.
std::int64_t state_gradient_floats(const Decoder& decoder, std::int64_t length, int threads);

}  // namespace zp
