// Qwen3 with experts instead of one MLP, in all layers or some. Source: transformers
// models/qwen3_moe.
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3MoeForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen3MoeModel"};
constexpr std::string_view kModelTypes[] = {"qwen3_moe"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// Of training.
constexpr std::string_view kWithoutInfluence[] = {"output_router_logits", "router_aux_loss_coef",
                                                  "max_window_layers"};
constexpr std::int64_t kWindow = 4096;  // Qwen3MoeConfig's own default
constexpr FixedField kFixed[] = {{"attention_bias", "false"}};
constexpr std::string_view kMlxFields[] = {"head_dim", "decoder_sparse_step", "mlp_only_layers",
                                           "norm_topk_prob"};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kAttention, usual::kHeadNorms,
                    usual::kFfnNorm, usual::kGatedMlp, usual::kExperts, usual::kHead);

void read_experts(ConfigReader& fields, Decoder& d) {
  Experts& e = d.experts;
  e.count = fields.count(fields.either("num_experts", "num_local_experts"), kMostExperts);
  e.chosen = fields.count("num_experts_per_tok", e.count);
  e.ffn = fields.count("moe_intermediate_size", kMostFfn);
  e.renormalized = fields.boolean("norm_topk_prob", false);
  const std::int64_t step = fields.count("decoder_sparse_step", kMostLayers, 1);
  const std::vector<std::int64_t> dense = fields.indices("mlp_only_layers", d.layers);
  set_experts(d, [&](std::int64_t layer) {
    return (layer + 1) % step == 0 && std::ranges::count(dense, layer) == 0;
  });
}

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "qwen3_moe";
  read_sizes(fields, d);
  read_experts(fields, d);
  d.norm_epsilon = fields.positive("rms_norm_eps");
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.rope = read_rope(fields, d);
  const std::int64_t window = fields.count("sliding_window", kMostContext, kWindow);
  if (fields.boolean("use_sliding_window", false))
    set_windows(d, window, [](std::int64_t) { return true; });
  fields.finish(d.architecture, kWithoutInfluence, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  config["num_experts"] = d.experts.count;
  config["num_experts_per_tok"] = d.experts.chosen;
  config["moe_intermediate_size"] = d.experts.ffn;
  config["norm_topk_prob"] = d.experts.renormalized;
  config["decoder_sparse_step"] = 1;
  Json dense = Json::array();
  for (std::int64_t i = 0; i < d.layers; ++i) {
    if (!d.layer(i).experts) dense.push_back(i);
  }
  config["mlp_only_layers"] = std::move(dense);
  config["use_sliding_window"] = d.window().has_value();
  if (d.window()) config["sliding_window"] = *d.window();
  write_rope(d, config);
}

void gguf_graph(Decoder& d) { d.experts.renormalized = true; }

}  // namespace

extern constinit const Architecture architecture_qwen3_moe = {
    .name = "qwen3_moe",
    .summary = "Qwen3 with experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .stacked = usual::kStackedExperts,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "qwen3moe",
             .computes = {.scalings = kFormulas,
                          .usual_betas = true,
                          .experts_everywhere = true,
                          .renormalizes_experts = true},
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes, .computes = {}, .fields = kMlxFields},
};

}  // namespace zp
