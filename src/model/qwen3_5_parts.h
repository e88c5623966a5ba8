// What Qwen3.5 has with and without experts beside its linear attention.
#pragma once

#include "model/linear_attention.h"

namespace zp::qwen3_5 {

/// llama.cpp insists on them.
inline constexpr usual::OneField kSections = {{{"", "rope.dimension_sections", RopeSections{}}}};

inline constexpr FixedField kFixed[] = {{"attention_bias", "false"},
                                        {"attn_output_gate", "true"},
                                        {"hidden_act", "\"silu\""},
                                        {"mlp_only_layers", "[]"},
                                        {"norm_topk_prob", "true"}};
/// Of training, of what predicts further tokens, and of MLPs that models with experts have not.
inline constexpr std::string_view kWithoutInfluence[] = {
    "mamba_ssm_dtype",      "mtp_num_hidden_layers", "mtp_use_dedicated_embeddings",
    "output_router_logits", "router_aux_loss_coef",  "intermediate_size"};

inline constexpr RuntimeModule kLlamaCpp = {.scalings = kFormulas,
                                            .usual_betas = true,
                                            .regular_attention = true,
                                            .one_delta_size = true,
                                            .norms_delta = true,
                                            .renormalizes_experts = true};
inline constexpr RuntimeModule kMlxLm = {.regular_attention = true};
/// mlx-lm has other defaults of them.
inline constexpr std::string_view kMlxFields[] = {
    "head_dim",
    "linear_conv_kernel_dim",
    "linear_key_head_dim",
    "linear_num_key_heads",
    "linear_num_value_heads",
    "linear_value_head_dim",
    "rms_norm_eps",
    "rope_parameters",
    "tie_word_embeddings",
    "num_experts",
    "num_experts_per_tok",
    "moe_intermediate_size",
    "shared_expert_intermediate_size",
};

/// It doesn't look at layer_types.
inline constexpr std::string_view kMlxRespelled[] = {"full_attention_interval"};

/// mlx-lm reads the rotary embedding in rope_parameters alone.
void write(const Decoder& decoder, Json& config);

}  // namespace zp::qwen3_5
