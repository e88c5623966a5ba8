// What models with latent attention have in common (DeepSeek V2 and V3, GLM-4.7-Flash): keys and
// values that come of one vector of each token, keys' rotated part the same for all heads; experts
// beside an MLP that all tokens go through, behind layers with one MLP. Sources: transformers
// models/deepseek_v2, deepseek_v3, glm4_moe_lite.
//
// GGUF: keys and values of each head are one tensor, attn_kv_b, as llama.cpp's first files of these
// models have it. Its graph then keeps keys and values of every head; that it keeps the latent vector
// alone takes two tensors of them (attn_k_b, turned, and attn_v_b), which are read (source/gguf_latent.h), not written.
#pragma once

#include "model/config_reader.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp::latent_attention {

inline bool query_rank(const Decoder& d) { return d.latent.query_rank > 0; }
inline bool no_query_rank(const Decoder& d) { return !query_rank(d); }
inline bool query_bias(const Decoder& d) { return query_rank(d) && d.attention_bias; }
inline bool corrected(const Decoder& d) { return d.experts.routing == Routing::sigmoid; }
inline bool shared(const Decoder& d) { return d.experts.shared_ffn > 0; }

inline constexpr std::array kAttention = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden, no_query_rank},
    TensorRow{Role::query_a, Part::weight, "model.layers.{}.self_attn.q_a_proj", "blk.{}.attn_q_a",
              "", Dim::query_rank, Dim::hidden, query_rank},
    TensorRow{Role::query_a, Part::bias, "model.layers.{}.self_attn.q_a_proj", "blk.{}.attn_q_a",
              "", Dim::one, Dim::query_rank, query_bias},
    TensorRow{Role::query_a_norm, Part::weight, "model.layers.{}.self_attn.q_a_layernorm",
              "blk.{}.attn_q_a_norm", "", Dim::one, Dim::query_rank, query_rank},
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_b_proj", "blk.{}.attn_q_b",
              "", Dim::query, Dim::query_rank, query_rank},
    TensorRow{Role::kv_a, Part::weight, "model.layers.{}.self_attn.kv_a_proj_with_mqa",
              "blk.{}.attn_kv_a_mqa", "", Dim::kv_a, Dim::hidden},
    TensorRow{Role::kv_a, Part::bias, "model.layers.{}.self_attn.kv_a_proj_with_mqa",
              "blk.{}.attn_kv_a_mqa", "", Dim::one, Dim::kv_a, usual::attention_bias},
    TensorRow{Role::kv_a_norm, Part::weight, "model.layers.{}.self_attn.kv_a_layernorm",
              "blk.{}.attn_kv_a_norm", "", Dim::one, Dim::kv_rank},
    TensorRow{Role::kv_b, Part::weight, "model.layers.{}.self_attn.kv_b_proj", "blk.{}.attn_kv_b",
              "", Dim::kv_b, Dim::kv_rank},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::attended},
    TensorRow{Role::attention_output, Part::bias, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::one, Dim::hidden, usual::attention_bias},
};

inline constexpr std::array kBesideExperts = {
    TensorRow{Role::router_correction, Part::bias,
              "model.layers.{}.mlp.gate.e_score_correction_bias", "blk.{}.exp_probs_b", "",
              Dim::one, Dim::experts, corrected, RowOrder::same, false, true},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.shared_experts.gate_proj",
              "blk.{}.ffn_gate_shexp", "", Dim::shared_ffn, Dim::hidden, shared},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.shared_experts.up_proj",
              "blk.{}.ffn_up_shexp", "", Dim::shared_ffn, Dim::hidden, shared},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.shared_experts.down_proj",
              "blk.{}.ffn_down_shexp", "", Dim::hidden, Dim::shared_ffn, shared},
};

inline constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kAttention, usual::kFfnNorm,
                    usual::kGatedMlp, usual::kExperts, kBesideExperts, usual::kHead);

inline constexpr std::array kHeads = {
    usual::heads(),
    usual::kv_heads(),
    Field{"kv_lora_rank", "attention.kv_lora_rank",
          Count{member<&Decoder::latent, &Latent::rank>, whole<kMostHidden>}},
    Field{"q_lora_rank", "attention.q_lora_rank",
          Count{member<&Decoder::latent, &Latent::query_rank>, whole<kMostHidden>, whole<0>},
          Unsaid::left, "", true, query_rank},
    Field{"qk_nope_head_dim", "attention.key_length", LatentHeads{}},
};

/// Behind these stand an architecture's own: how its router chooses.
template <std::size_t... N>
constexpr auto fields(Size dense, const std::array<Field, N>&... own) {
  return usual::table_of(
      usual::kSizes, kHeads, usual::experts("n_routed_experts", "num_local_experts"),
      usual::chosen_experts(), usual::expert_ffn("moe_intermediate_size"),
      usual::dense_layers("first_k_dense_replace", dense),
      usual::shared_experts("n_shared_experts"), usual::kExpertScale, own...,
      usual::rms_epsilon(1e-6), usual::activation(), usual::tied(), usual::attention_biases());
}

inline constexpr RopeScaling kYarn[] = {RopeScaling::none, RopeScaling::yarn};
inline constexpr RopeRules kRope = {
    .of = [](const Decoder& d) { return d.rope.dims; }, .scalings = kYarn, .sharpens = true};

inline constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
/// transformers makes head_dim of the others; the rest is of training and of layers beyond the last.
inline constexpr std::string_view kWithoutInfluence[] = {"aux_loss_alpha",
                                                         "ep_size",
                                                         "head_dim",
                                                         "num_mtp_layers",
                                                         "output_router_logits",
                                                         "pretraining_tp",
                                                         "router_aux_loss_coef",
                                                         "seq_aux",
                                                         "num_nextn_predict_layers",
                                                         "qk_head_dim"};

inline constexpr RopeScaling kYarnAlone[] = {RopeScaling::yarn};
inline constexpr std::int64_t kInputQueries[] = {26, 27};
inline constexpr RuntimeModule kLlamaCpp = {.scalings = kYarnAlone,
                                            .sharpens = true,
                                            .input_queries = kInputQueries,
                                            .norms_latent = true,
                                            .two_of_groups = true,
                                            .no_biases = true};
inline constexpr std::string_view kMlxFields[] = {
    "attention_bias",        "first_k_dense_replace",
    "kv_lora_rank",          "max_position_embeddings",
    "moe_intermediate_size", "n_group",
    "n_routed_experts",      "n_shared_experts",
    "norm_topk_prob",        "num_experts_per_tok",
    "q_lora_rank",           "qk_nope_head_dim",
    "qk_rope_head_dim",      "rms_norm_eps",
    "routed_scaling_factor", "topk_group",
    "topk_method",           "v_head_dim"};

/// What all of them have.
void fix(Decoder& decoder);
/// Whether heads of keys are as many as heads, and groups fit the experts.
void read(ConfigReader& fields, Decoder& decoder);

}  // namespace zp::latent_attention
