// GLM-4-0414 (dense): norms before and behind attention and MLP, fused gate/up rows, biases on q, k
// and v where the model has them, and a rotation of half of each head that turns neighbours with
// each other. Source: transformers models/glm4. A head tied to the embedding is not supported: no
// published model has one.

#include "base/json.h"
#include "model/architecture.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Glm4ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Glm4Model"};
constexpr std::string_view kModelTypes[] = {"glm4"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"tie_word_embeddings", "false"}, {"rope_traditional", "true"}};
constexpr std::string_view kMlxFields[] = {"attention_bias", "head_dim", "partial_rotary_factor",
                                           "rms_norm_eps", "rope_theta"};

// clang-format off
constexpr std::array kAttentionPostNorm = {
    TensorRow{Role::attention_post_norm, Part::weight, "model.layers.{}.post_self_attn_layernorm", "blk.{}.post_attention_norm", "", Dim::one, Dim::hidden},
};

constexpr std::array kMlp = {
    TensorRow{Role::gate_up, Part::weight, "model.layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up", "", Dim::gate_up, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "", Dim::hidden, Dim::ffn},
    TensorRow{Role::ffn_post_norm, Part::weight, "model.layers.{}.post_mlp_layernorm", "blk.{}.post_ffw_norm", "", Dim::one, Dim::hidden},
};

constexpr std::array kHead = {
    TensorRow{Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one, Dim::hidden},
    TensorRow{Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden},
};
// clang-format on

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kInputBiasedAttention,
                    kAttentionPostNorm, usual::kFfnNorm, kMlp, kHead);

constexpr auto kFields = usual::table_of(usual::kSizes, usual::kHeads, usual::head_size({128}),
                                         usual::rms_epsilon(1.5625e-7), usual::activation(),
                                         usual::tied(), usual::attention_biases(true));

void fix(Decoder& d) { d.rope.interleaved = true; }

}  // namespace

extern constinit const Architecture architecture_glm4 = {
    .name = "glm4",
    .summary = "GLM-4-0414, GLM-Z1 without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .rope = RopeRules{.share = 0.5, .partial_allowed = true},
    .fix = fix,
    .fixed_fields = kFixed,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "glm4",
             .computes = {.scalings = kFormulas, .usual_betas = true},
             .partial_rope = true},
    .mlx = {.model_types = kModelTypes, .computes = {}, .fields = kMlxFields},
};

}  // namespace zp
