// GLM-4.5, GLM-4.5-Air, GLM-4.6: experts weighted by sigmoids and chosen with a correction, an MLP
// that every token goes through beside them, layers with one MLP before them, rotation of a part of
// each head. Layers of multi-token prediction behind the last are left aside. Source: transformers
// models/glm4_moe.
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
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

bool attention_bias(const Decoder& d) { return d.attention_bias; }
bool head_norms(const Decoder& d) { return d.head_norms; }
bool shared(const Decoder& d) { return d.experts.shared_ffn > 0; }

constexpr std::array kAttention = {
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

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kAttention, kFfnNorm,
                    usual::kGatedMlp, usual::kExperts, kBesideExperts, usual::kHead);

std::int64_t dense_layers(const Decoder& d) {
  std::int64_t dense = 0;
  while (dense < d.layers && !d.layer(dense).experts) ++dense;
  return dense;
}

void read_experts(ConfigReader& fields, Decoder& d) {
  Experts& e = d.experts;
  e.routing = Routing::sigmoid;
  e.count = fields.count(fields.either("n_routed_experts", "num_local_experts"), kMostExperts);
  e.chosen = fields.count("num_experts_per_tok", e.count);
  e.ffn = fields.count("moe_intermediate_size", kMostFfn);
  e.shared_ffn = e.ffn * fields.count("n_shared_experts", kMostExperts, 1);
  e.renormalized = fields.boolean("norm_topk_prob", true);
  e.scale = fields.positive("routed_scaling_factor", 1);
  e.groups = fields.count("n_group", e.count, 1);
  e.used_groups = fields.count("topk_group", e.groups, 1);
  // Each group's two best are asked for.
  if (e.count % e.groups != 0 || (e.groups > 1 && e.count / e.groups < 2))
    fields.refuse("n_group", "doesn't part the experts into groups of two or more");
  if (e.count / e.groups * e.used_groups < e.chosen)
    fields.refuse("topk_group", "groups too small for the experts that are chosen");
  const std::int64_t first = fields.index("first_k_dense_replace", kMostLayers, 1);
  set_experts(d, [&](std::int64_t layer) { return layer >= first; });
}

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "glm4_moe";
  read_sizes(fields, d);
  read_experts(fields, d);
  d.norm_epsilon = fields.positive("rms_norm_eps", 1e-5);
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.attention_bias = fields.boolean("attention_bias", false);
  d.head_norms = fields.boolean("use_qk_norm", false);
  d.rope = read_rope(fields, d, {.dims = d.head_dim / 2, .partial_allowed = true});
  fields.finish(d.architecture, kWithoutInfluence, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  const Experts& e = d.experts;
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  config["attention_bias"] = d.attention_bias;
  config["use_qk_norm"] = d.head_norms;
  config["n_routed_experts"] = e.count;
  config["num_experts_per_tok"] = e.chosen;
  config["moe_intermediate_size"] = e.ffn;
  config["n_shared_experts"] = e.shared_ffn / e.ffn;
  config["norm_topk_prob"] = e.renormalized;
  config["routed_scaling_factor"] = e.scale;
  config["n_group"] = e.groups;
  config["topk_group"] = e.used_groups;
  config["first_k_dense_replace"] = dense_layers(d);
  config["num_nextn_predict_layers"] = 0;
  write_rope(d, config);
  // Absent means a half here.
  config["partial_rotary_factor"] =
      static_cast<double>(d.rope.dims) / static_cast<double>(d.head_dim);
}

void gguf_graph(Decoder& d) { d.experts.routing = Routing::sigmoid; }

}  // namespace

extern constinit const Architecture architecture_glm4_moe = {
    .name = "glm4_moe",
    .summary = "GLM-4.5, GLM-4.5-Air, GLM-4.6",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .stacked = usual::kStackedExperts,
    .beyond_layers = "multi-token prediction",
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "glm4moe",
             .computes = {.scalings = kFormulas, .usual_betas = true},
             .partial_rope = true,
             .expert_keys = true,
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.untied = true, .zeroes_groups = true},
            .fields = kMlxFields},
};

}  // namespace zp
