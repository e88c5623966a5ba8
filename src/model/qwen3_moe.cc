// Qwen3 with experts instead of one MLP, in all layers or some. Source: transformers
// models/qwen3_moe.
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/sparse_layers.h"
#include "model/usual_fields.h"
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

constexpr auto kFields = usual::table_of(
    usual::kSizes, usual::experts("num_experts", "num_local_experts"), usual::chosen_experts(),
    usual::expert_ffn("moe_intermediate_size"), usual::renormalized({}, false), usual::kHeads,
    usual::head_size(), usual::rms_epsilon(), usual::activation(), usual::tied());

void read_layers(ConfigReader& fields, Decoder& d) {
  read_sparse_layers(fields, d);
  const std::int64_t window = fields.count("sliding_window", kMostContext, kWindow);
  if (fields.boolean("use_sliding_window", false))
    set_windows(d, window, [](std::int64_t) { return true; });
}

void write_layers(const Decoder& d, Json& config) {
  write_sparse_layers(d, config);
  config["use_sliding_window"] = d.window().has_value();
  if (d.window()) config["sliding_window"] = *d.window();
}

void gguf_graph(Decoder& d) { d.experts.renormalized = true; }

}  // namespace

extern constinit const Architecture architecture_qwen3_moe = {
    .name = "qwen3_moe",
    .summary = "Qwen3 with experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_layers, write_layers},
    .rope = RopeRules{},
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
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
