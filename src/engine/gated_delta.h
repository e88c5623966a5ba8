// Linear attention by the gated delta rule, over a sequence's tokens one behind the other.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"
#include "engine/attention.h"
#include "kernel/delta_rule.h"
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

  /// Row `row` as the head has it; query and key: room for theirs.
  DeltaToken token(Matrix qkv, Matrix beta, Matrix decay, std::int64_t row, std::int64_t head,
                   std::span<float> query, std::span<float> key) const;
  /// What is left of the state.
  float kept(std::int64_t head, float decay) const;

  /// Which head of keys a head of values reads, and the columns that it reads of qkv.
  std::int64_t keys_of(std::int64_t head) const { return head / (heads.values / heads.keys); }
  template <class M>
  M queries(M qkv, std::int64_t head) const {
    return qkv.columns(keys_of(head) * heads.key_dim, heads.key_dim);
  }
  template <class M>
  M keys(M qkv, std::int64_t head) const {
    return qkv.columns(heads.key_columns() + keys_of(head) * heads.key_dim, heads.key_dim);
  }
  template <class M>
  M values(M qkv, std::int64_t head) const {
    return qkv.columns(2 * heads.key_columns() + head * heads.value_dim, heads.value_dim);
  }
  /// What queries are multiplied by behind their division.
  double natural() const;
};

/// 1 over the root of the squares' sum and 1e-6.
double inverse_length(Floats x) noexcept;

}  // namespace zp
