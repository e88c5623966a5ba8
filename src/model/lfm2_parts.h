// What LFM2 has with and without experts: the halves of its layers by their names, and their fields
// of config.json.
#pragma once

#include "model/config_reader.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp::lfm2 {

inline bool conv_bias(const Decoder& d) { return d.conv_bias; }

/// The first half: a norm, then a short convolution or attention with norms over each head.
inline constexpr std::array kMixers = {
    TensorRow{Role::attention_norm, Part::weight, "model.layers.{}.operator_norm",
              "blk.{}.attn_norm", "", Dim::one, Dim::hidden},
    TensorRow{Role::conv_in, Part::weight, "model.layers.{}.conv.in_proj",
              "blk.{}.shortconv.in_proj", "", Dim::conv_in, Dim::hidden},
    TensorRow{Role::conv_in, Part::bias, "model.layers.{}.conv.in_proj", "blk.{}.shortconv.in_proj",
              "", Dim::one, Dim::conv_in, conv_bias},
    TensorRow{Role::convolution, Part::weight, "model.layers.{}.conv.conv", "blk.{}.shortconv.conv",
              "", Dim::hidden, Dim::convolution},
    TensorRow{Role::convolution, Part::bias, "model.layers.{}.conv.conv", "blk.{}.shortconv.conv",
              "", Dim::one, Dim::hidden, conv_bias},
    TensorRow{Role::conv_out, Part::weight, "model.layers.{}.conv.out_proj",
              "blk.{}.shortconv.out_proj", "", Dim::hidden, Dim::hidden},
    TensorRow{Role::conv_out, Part::bias, "model.layers.{}.conv.out_proj",
              "blk.{}.shortconv.out_proj", "", Dim::one, Dim::hidden, conv_bias},
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden},
    TensorRow{Role::query_norm, Part::weight, "model.layers.{}.self_attn.q_layernorm",
              "blk.{}.attn_q_norm", "", Dim::one, Dim::head},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::key_norm, Part::weight, "model.layers.{}.self_attn.k_layernorm",
              "blk.{}.attn_k_norm", "", Dim::one, Dim::head},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.out_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
    TensorRow{Role::ffn_norm, Part::weight, "model.layers.{}.ffn_norm", "blk.{}.ffn_norm", "",
              Dim::one, Dim::hidden},
};

/// llama.cpp calls the last norm the embedding's.
inline constexpr std::array kHead = {
    TensorRow{Role::output_norm, Part::weight, "model.embedding_norm", "token_embd_norm", "",
              Dim::one, Dim::hidden},
    TensorRow{Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden,
              usual::untied},
};

inline constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq", "*pos_emb.inv_freq"};
/// Fields of the training's own code, which no runtime reads, and those of experts.
inline constexpr std::string_view kWithoutInfluence[] = {
    "block_mlp_init_scale", "block_norm_eps",       "block_out_init_scale", "block_use_xavier_init",
    "conv_use_xavier_init", "output_router_logits", "router_aux_loss_coef", "theta"};
inline constexpr FixedField kFixed[] = {{"block_use_swiglu", "true"},
                                        {"hidden_act", "\"silu\""},
                                        {"use_expert_bias", "true"},
                                        {"use_pos_enc", "true"}};

inline constexpr RopeRules kRope = {.theta = 1000000};
/// Behind the sizes.
inline constexpr std::array kFields = {
    usual::heads(),
    Field{"num_key_value_heads", "attention.head_count_kv", KeyHeads{}},
    Field{"head_dim", "attention.key_length", HeadSize{}},
    Field{"norm_eps", "attention.layer_norm_rms_epsilon",
          Positive{member<&Decoder::norm_epsilon>, 1e-5}},
    Field{"conv_L_cache", "shortconv.l_cache",
          Count{member<&Decoder::convolution>, whole<kMostConvolution>, whole<3>, 2}},
    Field{"conv_bias", "", Flag{member<&Decoder::conv_bias>}},
};

/// Which layers have attention, whether the head is the embedding, and sizes that are said twice.
void read(ConfigReader& fields, Decoder& decoder);
void write(const Decoder& decoder, Json& config);

}  // namespace zp::lfm2
