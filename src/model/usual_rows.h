// Lines that most architectures' tables have in common, for tables that are put together of them:
// Llama's names, no biases where nothing is said of them.
#pragma once

#include <algorithm>
#include <array>

#include "model/architecture.h"

namespace zp::usual {

inline bool untied(const Decoder& d) { return !d.tied; }
inline bool attention_bias(const Decoder& d) { return d.attention_bias; }
inline bool mlp_bias(const Decoder& d) { return d.mlp_bias; }

inline constexpr std::array kEmbedding = {
    TensorRow{Role::embedding, Part::weight, "model.embed_tokens", "token_embd", "",
              Dim::vocabulary, Dim::hidden},
};

inline constexpr std::array kAttentionNorm = {
    TensorRow{Role::attention_norm, Part::weight, "model.layers.{}.input_layernorm",
              "blk.{}.attn_norm", "", Dim::one, Dim::hidden},
};

inline constexpr std::array kAttention = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};

/// Queries, keys and values with biases, whatever the config says.
inline constexpr std::array kBiasedProjections = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden},
    TensorRow{Role::query, Part::bias, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::one, Dim::query},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::key, Part::bias, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::one, Dim::key},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::value, Part::bias, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::one, Dim::key},
};

/// With biases where the model has them; GGUF interleaves queries and keys.
inline constexpr std::array kPairedAttention = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden, nullptr, RowOrder::interleave_query},
    TensorRow{Role::query, Part::bias, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::one, Dim::query, attention_bias, RowOrder::interleave_query},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden, nullptr, RowOrder::interleave_key},
    TensorRow{Role::key, Part::bias, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::one, Dim::key, attention_bias, RowOrder::interleave_key},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::value, Part::bias, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::one, Dim::key, attention_bias},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
    TensorRow{Role::attention_output, Part::bias, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::one, Dim::hidden, attention_bias},
};

/// With biases on what reads the input, where the model has them.
inline constexpr std::array kInputBiasedAttention = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden},
    TensorRow{Role::query, Part::bias, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::one, Dim::query, attention_bias},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::key, Part::bias, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::one, Dim::key, attention_bias},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::value, Part::bias, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::one, Dim::key, attention_bias},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};

/// Over each head.
inline constexpr std::array kHeadNorms = {
    TensorRow{Role::query_norm, Part::weight, "model.layers.{}.self_attn.q_norm",
              "blk.{}.attn_q_norm", "", Dim::one, Dim::head},
    TensorRow{Role::key_norm, Part::weight, "model.layers.{}.self_attn.k_norm",
              "blk.{}.attn_k_norm", "", Dim::one, Dim::head},
};

/// Attention with norms over each head, in the order of Qwen3's checkpoints.
inline constexpr std::array kNormedAttention = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden},
    TensorRow{Role::query_norm, Part::weight, "model.layers.{}.self_attn.q_norm",
              "blk.{}.attn_q_norm", "", Dim::one, Dim::head},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::key_norm, Part::weight, "model.layers.{}.self_attn.k_norm",
              "blk.{}.attn_k_norm", "", Dim::one, Dim::head},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};

inline constexpr std::array kFfnNorm = {
    TensorRow{Role::ffn_norm, Part::weight, "model.layers.{}.post_attention_layernorm",
              "blk.{}.ffn_norm", "", Dim::one, Dim::hidden},
};

/// Norms behind the halves, and the one before the MLP beside them.
inline constexpr std::array kAttentionPostNorm = {
    TensorRow{Role::attention_post_norm, Part::weight, "model.layers.{}.post_attention_layernorm",
              "blk.{}.post_attention_norm", "", Dim::one, Dim::hidden},
};

inline constexpr std::array kPreFfnNorm = {
    TensorRow{Role::ffn_norm, Part::weight, "model.layers.{}.pre_feedforward_layernorm",
              "blk.{}.ffn_norm", "", Dim::one, Dim::hidden},
};

inline constexpr std::array kFfnPostNorm = {
    TensorRow{Role::ffn_post_norm, Part::weight, "model.layers.{}.post_feedforward_layernorm",
              "blk.{}.post_ffw_norm", "", Dim::one, Dim::hidden},
};

inline constexpr std::array kGatedMlp = {
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "",
              Dim::ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "", Dim::ffn,
              Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "",
              Dim::hidden, Dim::ffn},
};

/// With biases where the model has them.
inline constexpr std::array kBiasedMlp = {
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "",
              Dim::ffn, Dim::hidden},
    TensorRow{Role::gate, Part::bias, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "",
              Dim::one, Dim::ffn, mlp_bias},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "", Dim::ffn,
              Dim::hidden},
    TensorRow{Role::up, Part::bias, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "", Dim::one,
              Dim::ffn, mlp_bias},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "",
              Dim::hidden, Dim::ffn},
    TensorRow{Role::down, Part::bias, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "",
              Dim::one, Dim::hidden, mlp_bias},
};

inline constexpr std::array kExperts = {
    TensorRow{Role::router, Part::weight, "model.layers.{}.mlp.gate", "blk.{}.ffn_gate_inp", "",
              Dim::experts, Dim::hidden},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.experts.{}.gate_proj",
              "blk.{}.ffn_gate_exps", "model.layers.{}.mlp.switch_mlp.gate_proj", Dim::expert_ffn,
              Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.experts.{}.up_proj",
              "blk.{}.ffn_up_exps", "model.layers.{}.mlp.switch_mlp.up_proj", Dim::expert_ffn,
              Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.experts.{}.down_proj",
              "blk.{}.ffn_down_exps", "model.layers.{}.mlp.switch_mlp.down_proj", Dim::hidden,
              Dim::expert_ffn},
};

/// The same by the names of block_sparse_moe.
inline constexpr std::array kSparseExperts = {
    TensorRow{Role::router, Part::weight, "model.layers.{}.block_sparse_moe.gate",
              "blk.{}.ffn_gate_inp", "", Dim::experts, Dim::hidden},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.block_sparse_moe.experts.{}.w1",
              "blk.{}.ffn_gate_exps", "model.layers.{}.block_sparse_moe.switch_mlp.gate_proj",
              Dim::expert_ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.block_sparse_moe.experts.{}.w3",
              "blk.{}.ffn_up_exps", "model.layers.{}.block_sparse_moe.switch_mlp.up_proj",
              Dim::expert_ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.block_sparse_moe.experts.{}.w2",
              "blk.{}.ffn_down_exps", "model.layers.{}.block_sparse_moe.switch_mlp.down_proj",
              Dim::hidden, Dim::expert_ffn},
};

inline constexpr std::array kHead = {
    TensorRow{Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one,
              Dim::hidden},
    TensorRow{Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden,
              untied},
};

inline constexpr Role kGateAndUp[] = {Role::gate, Role::up};
inline constexpr Role kDownAlone[] = {Role::down};
/// Of kExperts and of kSparseExperts, whose newer checkpoints have these names.
inline constexpr StackedRow kStackedExperts[] = {
    {"model.layers.{}.mlp.experts.gate_up_proj", Part::weight, kGateAndUp},
    {"model.layers.{}.mlp.experts.down_proj", Part::weight, kDownAlone},
};

/// One table of all lines, in that order.
template <class Row, std::size_t... N>
constexpr auto table_of(const std::array<Row, N>&... groups) {
  std::array<Row, (N + ...)> all;
  auto to = all.begin();
  ((to = std::ranges::copy(groups, to).out), ...);
  return all;
}

}  // namespace zp::usual
