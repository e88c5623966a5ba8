// What Qwen3-Next and Qwen3.5 have in common: layers with linear attention and, in turns, some with
// attention whose output is gated; their fields of config.json and GGUF's keys.
#pragma once

#include "model/config_reader.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp::linear_attention {

/// Attention with norms over each head; each head's gate behind its query.
inline constexpr auto kGatedAttention = [] {
  auto rows = usual::kNormedAttention;
  rows.front().rows = Dim::gated_query;
  return rows;
}();

/// Linear attention's projections, one matrix each.
inline constexpr std::array kProjections = {
    TensorRow{Role::delta_qkv, Part::weight, "model.layers.{}.linear_attn.in_proj_qkv",
              "blk.{}.attn_qkv", "", Dim::delta_qkv, Dim::hidden, nullptr,
              RowOrder::tile_values_behind_keys},
    TensorRow{Role::delta_gate, Part::weight, "model.layers.{}.linear_attn.in_proj_z",
              "blk.{}.attn_gate", "", Dim::delta_value, Dim::hidden, nullptr,
              RowOrder::tile_values},
    TensorRow{Role::delta_beta, Part::weight, "model.layers.{}.linear_attn.in_proj_b",
              "blk.{}.ssm_beta", "", Dim::delta_heads, Dim::hidden, nullptr,
              RowOrder::tile_value_heads},
    TensorRow{Role::delta_decay, Part::weight, "model.layers.{}.linear_attn.in_proj_a",
              "blk.{}.ssm_alpha", "", Dim::delta_heads, Dim::hidden, nullptr,
              RowOrder::tile_value_heads},
};

/// The same in two matrices, each with the rows of one head of keys together.
inline constexpr std::array kFusedProjections = {
    TensorRow{Role::delta_qkvz, Part::weight, "model.layers.{}.linear_attn.in_proj_qkvz",
              "blk.{}.ssm_in", "", Dim::delta_qkvz, Dim::hidden},
    TensorRow{Role::delta_beta_decay, Part::weight, "model.layers.{}.linear_attn.in_proj_ba",
              "blk.{}.ssm_ba", "", Dim::delta_head_pairs, Dim::hidden},
};

/// The rest of it.
inline constexpr std::array kState = {
    TensorRow{Role::convolution, Part::weight, "model.layers.{}.linear_attn.conv1d",
              "blk.{}.ssm_conv1d", "", Dim::delta_qkv, Dim::convolution},
    TensorRow{Role::delta_decay_bias, Part::bias, "model.layers.{}.linear_attn.dt_bias",
              "blk.{}.ssm_dt", "", Dim::one, Dim::delta_heads, nullptr, RowOrder::same, false,
              true},
    TensorRow{Role::delta_rate, Part::weight, "model.layers.{}.linear_attn.A_log", "blk.{}.ssm_a",
              "", Dim::one, Dim::delta_heads, nullptr, RowOrder::same, false, true, true},
    TensorRow{Role::delta_norm, Part::weight, "model.layers.{}.linear_attn.norm", "blk.{}.ssm_norm",
              "", Dim::one, Dim::delta_head},
    TensorRow{Role::delta_out, Part::weight, "model.layers.{}.linear_attn.out_proj",
              "blk.{}.ssm_out", "", Dim::hidden, Dim::delta_value},
};

/// The same, its heads of values in the order of GGUF's tiles.
inline constexpr std::array kTiledState = {
    TensorRow{Role::convolution, Part::weight, "model.layers.{}.linear_attn.conv1d",
              "blk.{}.ssm_conv1d", "", Dim::delta_qkv, Dim::convolution, nullptr,
              RowOrder::tile_values_behind_keys},
    TensorRow{Role::delta_decay_bias, Part::bias, "model.layers.{}.linear_attn.dt_bias",
              "blk.{}.ssm_dt", "", Dim::one, Dim::delta_heads, nullptr, RowOrder::tile_value_heads,
              false, true},
    TensorRow{Role::delta_rate, Part::weight, "model.layers.{}.linear_attn.A_log", "blk.{}.ssm_a",
              "", Dim::one, Dim::delta_heads, nullptr, RowOrder::tile_value_heads, false, true,
              true},
    TensorRow{Role::delta_norm, Part::weight, "model.layers.{}.linear_attn.norm", "blk.{}.ssm_norm",
              "", Dim::one, Dim::delta_head},
    TensorRow{Role::delta_out, Part::weight, "model.layers.{}.linear_attn.out_proj",
              "blk.{}.ssm_out", "", Dim::hidden, Dim::delta_value, nullptr,
              RowOrder::tile_value_columns},
};

/// Behind the first half, by llama.cpp's name of it.
inline constexpr std::array kFfnNorm = {
    TensorRow{Role::ffn_norm, Part::weight, "model.layers.{}.post_attention_layernorm",
              "blk.{}.post_attention_norm", "", Dim::one, Dim::hidden},
};

/// An MLP that all tokens go through beside the experts, times a sigmoid.
inline constexpr std::array kSharedExpert = {
    TensorRow{Role::shared_gate, Part::weight, "model.layers.{}.mlp.shared_expert_gate",
              "blk.{}.ffn_gate_inp_shexp", "", Dim::one, Dim::hidden},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.shared_expert.gate_proj",
              "blk.{}.ffn_gate_shexp", "", Dim::shared_ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.shared_expert.up_proj",
              "blk.{}.ffn_up_shexp", "", Dim::shared_ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.shared_expert.down_proj",
              "blk.{}.ffn_down_shexp", "", Dim::hidden, Dim::shared_ffn},
};
constexpr usual::OneField shared_expert() {
  return {{{"shared_expert_intermediate_size", "expert_shared_feed_forward_length",
            Count{member<&Decoder::experts, &Experts::shared_ffn>, whole<kMostFfn>, whole<512>},
            Unsaid::refused}}};
}

inline constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
/// Where images stand changes positions in what isn't text; all three kinds are one in text.
inline constexpr std::string_view kBesideRope[] = {"mrope_section", "mrope_interleaved"};
inline constexpr RopeRules kRope = {.share = 0.25, .partial_allowed = true, .beside = kBesideRope};

constexpr Field heads_of(std::string_view config, std::string_view gguf,
                         Member<std::int64_t> member, Size otherwise) {
  return {config, gguf, Count{member, whole<kMostHeads>, otherwise}};
}
/// Of linear attention, what it keeps and where it stands.
inline constexpr std::array kFields = {
    Field{"linear_conv_kernel_dim", "ssm.conv_kernel",
          Count{member<&Decoder::convolution>, whole<kMostConvolution>, whole<4>, 2}},
    Field{"linear_key_head_dim", "ssm.state_size",
          Count{member<&Decoder::delta, &DeltaHeads::key_dim>, whole<kMostHeadDim>, whole<128>}},
    heads_of("linear_num_key_heads", "ssm.group_count", member<&Decoder::delta, &DeltaHeads::keys>,
             whole<16>),
    heads_of("linear_num_value_heads", "ssm.time_step_rank",
             member<&Decoder::delta, &DeltaHeads::values>, whole<32>),
    Field{"linear_value_head_dim", "",
          Count{member<&Decoder::delta, &DeltaHeads::value_dim>, whole<kMostHeadDim>, whole<128>}},
    Field{"", "ssm.inner_size",
          Count{{[](const Decoder& d) { return d.delta.value_columns(); },
                 [](Decoder& d, std::int64_t n) { d.delta.value_dim = n / d.delta.values; }},
                whole<kMostHeads * kMostHeadDim>}},
    Field{"", "full_attention_interval",
          Count{{[](const Decoder& d) { return attention_period(d).value_or(0); },
                 [](Decoder& d, std::int64_t period) {
                   set_layers(d, [&](std::int64_t i, Layer& layer) {
                     layer.mixer = ends_period(i, period) ? Mixer::attention : Mixer::gated_delta;
                   });
                 }},
                whole<kMostLayers + 1>,
                whole<4>},
          Unsaid::usual},
};

/// What all of them have.
void fix(Decoder& decoder);
/// Which layers have attention, and whether the heads of keys have as many of values each.
void read(ConfigReader& fields, Decoder& decoder);
void write(const Decoder& decoder, Json& config);

}  // namespace zp::linear_attention
