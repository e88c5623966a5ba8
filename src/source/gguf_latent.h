// GGUF models with latent attention as llama.cpp computes them by the latent vector alone: keys and values of each
// head stand apart, the keys' part turned (attn_k_b: of each head the latent vector's dimensions, then the keys';
// attn_v_b: the values', then the latent vector's).
#pragma once

#include "source/checkpoint.h"

namespace zp {

/// Both become attn_kv_b, which has of each head the keys' rows, then the values'. Throws Error where one stands
/// alone, or their shapes differ.
void join_latent_heads(Checkpoint& checkpoint);

}  // namespace zp
