// Causal attention of some tokens to all tokens before them in their sequence.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/parallel.h"
#include "engine/kv_cache.h"

namespace zp {

/// Consecutive tokens of one sequence: rows [begin, begin + count) of the activations are its
/// tokens [first, first + count).
struct TokenRun {
  KvCache* cache = nullptr;
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t first = 0;
};

struct AttentionShape {
  std::int64_t heads;
  std::int64_t kv_heads;
  std::int64_t head_dim;  ///< of queries and keys
  std::int64_t value_dim;
  float scale;                         ///< of q k
  float soft_cap;                      ///< cap tanh(score / cap) before the mask; 0: none
  std::optional<std::int64_t> window;  ///< tokens a token sees, itself included
  Floats sinks = {};  ///< of each head a score beside those of the tokens; empty: none
};

/// q: rows x heads * head_dim, out: rows x heads * value_dim. The runs' keys and values are already in their caches.
///
/// A head's scores are dot products (kernel/matmul.h), softmaxed over the tokens in sight, and
/// weigh the values in ascending order. What is out of sight adds exact zeros, and what is left out
/// before it are whole sixteens, so a row has the same bits whichever rows are computed with it.
void attend(Matrix q, std::span<const TokenRun> runs, const AttentionShape& shape,
            std::int64_t layer, const Team& team, View2D<float> out);

/// Products of a query and keys [from, from + scores.size()) become the scores that the softmax goes
/// over, as the token at `position` sees them: scaled, capped, -inf out of sight.
void score(std::span<float> products, std::int64_t from, std::int64_t position,
           const AttentionShape& shape) noexcept;
/// Of head `head`; -inf: none.
float sink_of(const AttentionShape& shape, std::int64_t head) noexcept;

}  // namespace zp
