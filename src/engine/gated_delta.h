// Linear attention by the gated delta rule, over a sequence's tokens one behind the other.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"
#include "engine/attention.h"
#include "model/decoder.h"

namespace zp {

/// Of each head of values a state, which the tokens of its sequence change in turn: so a token has
/// the same bits whichever ones are computed with it.
///
/// Queries and keys are divided by their lengths (the root of their squares' sum and 1e-6), queries
/// by the root of their size besides. What is forgotten of a state: all but
/// exp(-exp(rate) softplus(decay + its bias)).
struct GatedDelta {
  DeltaHeads heads;
  Floats rate;  ///< of each head of values
  Floats bias;  ///< the same, added to its decay

  /// qkv: rows of queries, keys and values, beta and decay: rows with a number for each head of
  /// values, out: rows of values; of all of them the run's rows. state: value_dim x key_dim values of
  /// the head, not read where a sequence begins.
  void compute(Matrix qkv, Matrix beta, Matrix decay, const TokenRun& run, std::int64_t head,
               std::span<float> state, View2D<float> out) const;

  /// What is left of the state.
  float kept(std::int64_t head, float decay) const;
};

}  // namespace zp
