// A selective state space (Mamba-2), over a sequence's tokens one behind the other.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"
#include "engine/attention.h"
#include "kernel/state_step.h"
#include "model/decoder.h"

namespace zp {

/// Of each head a state, which the tokens of its sequence change in turn: so a token has the same
/// bits whichever ones are computed with it.
///
/// A time step is softplus(what the token says + its bias), within the space's limits; what is left
/// of a state is exp(-exp(rate) step) of it. Source: transformers models/granitemoehybrid,
/// mamba2_chunk_scan.
struct SelectiveScan {
  const StateSpace& space;
  Floats rate;  ///< of each head
  Floats bias;  ///< the same
  Floats skip;  ///< the same: its input's share of its output

  /// x: rows of inputs, then of what writes, then of what reads; steps: rows with a number for each
  /// head; out: rows of all heads; of all of them the run's rows. state: space.state x head_dim
  /// values of the head, not read where a sequence begins.
  void compute(Matrix x, Matrix steps, const TokenRun& run, std::int64_t head,
               std::span<float> state, View2D<float> out) const;

  /// Row `row` as the head has it.
  StateToken token(Matrix x, Matrix steps, std::int64_t row, std::int64_t head) const;
  double step(std::int64_t head, float said) const;
  /// What is left of the state.
  float left(std::int64_t head, double step) const;

  /// Of all columns those of the head's inputs, and those of what writes and reads its state.
  template <class M>
  M inputs(M x, std::int64_t head) const {
    return x.columns(head * space.head_dim, space.head_dim);
  }
  template <class M>
  M writes(M x, std::int64_t head) const {
    return x.columns(space.columns() + group_of(head) * space.state, space.state);
  }
  template <class M>
  M reads(M x, std::int64_t head) const {
    return x.columns(space.columns() + (space.groups + group_of(head)) * space.state, space.state);
  }
  std::int64_t group_of(std::int64_t head) const { return head / (space.heads / space.groups); }
};

}  // namespace zp
