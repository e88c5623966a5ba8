// GLM-4.5, GLM-4.5-Air, GLM-4.6: experts weighted by sigmoids and chosen with a correction, an MLP
// that every token goes through beside them, layers with one MLP before them, rotation of a part of
// each head. Layers of multi-token prediction behind the last are left aside. Source: transformers
// models/glm4_moe.
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Glm4MoeForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Glm4MoeModel"};
constexpr std::string_view kModelTypes[] = {"glm4_moe"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr std::string_view kWithoutInfluence[] = {"output_router_logits", "router_aux_loss_coef",
                                                  "num_nextn_predict_layers", "num_mtp_layers"};
// What mlx-lm's folders may say.
constexpr FixedField kFixed[] = {{"scoring_func", "\"sigmoid\""}, {"topk_method", "\"noaux_tc\""}};
constexpr std::string_view kMlxFields[] = {
    "moe_intermediate_size",
    "norm_topk_prob",
    "n_group",
    "topk_group",
    "n_shared_experts",
    "n_routed_experts",
    "routed_scaling_factor",
    "num_experts_per_tok",
    "first_k_dense_replace",
    "rope_scaling",
    "use_qk_norm",
    "attention_bias",
    "partial_rotary_factor",
    "max_position_embeddings",
    "rms_norm_eps",
};

bool head_norms(const Decoder& d) { return d.head_norms; }
bool shared(const Decoder& d) { return d.experts.shared_ffn > 0; }

constexpr std::array kHeadNorms = {
    TensorRow{Role::query_norm, Part::weight, "model.layers.{}.self_attn.q_norm",
              "blk.{}.attn_q_norm", "", Dim::one, Dim::head, head_norms},
    TensorRow{Role::key_norm, Part::weight, "model.layers.{}.self_attn.k_norm",
              "blk.{}.attn_k_norm", "", Dim::one, Dim::head, head_norms},
};
constexpr std::array kFfnNorm = {
    TensorRow{Role::ffn_norm, Part::weight, "model.layers.{}.post_attention_layernorm",
              "blk.{}.post_attention_norm", "", Dim::one, Dim::hidden},
};
constexpr std::array kBesideExperts = {
    TensorRow{Role::router_correction, Part::bias,
              "model.layers.{}.mlp.gate.e_score_correction_bias", "blk.{}.exp_probs_b", "",
              Dim::one, Dim::experts, nullptr, RowOrder::same, false, true},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.shared_experts.gate_proj",
              "blk.{}.ffn_gate_shexp", "", Dim::shared_ffn, Dim::hidden, shared},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.shared_experts.up_proj",
              "blk.{}.ffn_up_shexp", "", Dim::shared_ffn, Dim::hidden, shared},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.shared_experts.down_proj",
              "blk.{}.ffn_down_shexp", "", Dim::hidden, Dim::shared_ffn, shared},
};

constexpr auto kTable = usual::table_of(
    usual::kEmbedding, usual::kAttentionNorm, usual::kInputBiasedAttention, kHeadNorms, kFfnNorm,
    usual::kGatedMlp, usual::kExperts, kBesideExperts, usual::kHead);

constexpr usual::OneField kNormed = {{{"use_qk_norm", "", Flag{member<&Decoder::head_norms>}}}};

constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::experts("n_routed_experts", "num_local_experts"),
                    usual::chosen_experts(), usual::expert_ffn("moe_intermediate_size"),
                    usual::dense_layers("first_k_dense_replace", whole<1>),
                    usual::shared_experts("n_shared_experts"), usual::kSigmoid, usual::kExpertScale,
                    usual::renormalized("expert_weights_norm", true), usual::kExpertGroups,
                    usual::kHeads, usual::head_size(), usual::rms_epsilon(1e-5),
                    usual::activation(), usual::tied(), usual::attention_biases(), kNormed);

void check_groups(ConfigReader& fields, Decoder& d) {
  const Experts& e = d.experts;
  // Each group's two best are asked for.
  if (e.count % e.groups != 0 || (e.groups > 1 && e.count / e.groups < 2))
    fields.refuse("n_group", "doesn't part the experts into groups of two or more");
  if (e.count / e.groups * e.used_groups < e.chosen)
    fields.refuse("topk_group", "groups too small for the experts that are chosen");
}

void write_layers(const Decoder&, Json& config) { config["num_nextn_predict_layers"] = 0; }

void fix(Decoder& d) { d.experts.routing = Routing::sigmoid; }

}  // namespace

extern constinit const Architecture architecture_glm4_moe = {
    .name = "glm4_moe",
    .summary = "GLM-4.5, GLM-4.5-Air, GLM-4.6",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {check_groups, write_layers},
    .rope = RopeRules{.share = 0.5, .partial_allowed = true},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .stacked = usual::kStackedExperts,
    .beyond_layers = "multi-token prediction",
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "glm4moe",
             .computes = {.scalings = kFormulas, .usual_betas = true},
             .partial_rope = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.untied = true, .zeroes_groups = true},
            .fields = kMlxFields},
};

}  // namespace zp
