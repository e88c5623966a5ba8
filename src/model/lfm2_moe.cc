// LFM2 with experts, weighted by sigmoids and chosen with a correction, behind some layers with one
// MLP. Source: transformers models/lfm2_moe.
#include "base/json.h"
#include "model/architecture.h"
#include "model/lfm2_parts.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Lfm2MoeForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Lfm2MoeModel"};
constexpr std::string_view kModelTypes[] = {"lfm2_moe"};
constexpr std::string_view kMlxFields[] = {
    "norm_eps",       "conv_bias",           "conv_L_cache",         "layer_types",
    "num_experts",    "num_experts_per_tok", "num_dense_layers",     "moe_intermediate_size",
    "norm_topk_prob", "use_expert_bias",     "routed_scaling_factor"};

// MLX's names of an MLP are others than Hugging Face's.
constexpr std::array kMlp = {
    TensorRow{Role::gate, Part::weight, "model.layers.{}.feed_forward.w1", "blk.{}.ffn_gate",
              "model.layers.{}.feed_forward.gate_proj", Dim::ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.feed_forward.w3", "blk.{}.ffn_up",
              "model.layers.{}.feed_forward.up_proj", Dim::ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.feed_forward.w2", "blk.{}.ffn_down",
              "model.layers.{}.feed_forward.down_proj", Dim::hidden, Dim::ffn},
};
constexpr std::array kExperts = {
    TensorRow{Role::router, Part::weight, "model.layers.{}.feed_forward.gate",
              "blk.{}.ffn_gate_inp", "", Dim::experts, Dim::hidden},
    TensorRow{Role::router_correction, Part::bias, "model.layers.{}.feed_forward.expert_bias",
              "blk.{}.exp_probs_b", "", Dim::one, Dim::experts, nullptr, RowOrder::same, false,
              true},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.feed_forward.experts.{}.w1",
              "blk.{}.ffn_gate_exps", "model.layers.{}.feed_forward.switch_mlp.gate_proj",
              Dim::expert_ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.feed_forward.experts.{}.w3",
              "blk.{}.ffn_up_exps", "model.layers.{}.feed_forward.switch_mlp.up_proj",
              Dim::expert_ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.feed_forward.experts.{}.w2",
              "blk.{}.ffn_down_exps", "model.layers.{}.feed_forward.switch_mlp.down_proj",
              Dim::hidden, Dim::expert_ffn},
};
constexpr auto kTable =
    usual::table_of(usual::kEmbedding, lfm2::kMixers, kMlp, kExperts, lfm2::kHead);
constexpr StackedRow kStacked[] = {
    {"model.layers.{}.feed_forward.experts.gate_up_proj", Part::weight, usual::kGateAndUp},
    {"model.layers.{}.feed_forward.experts.down_proj", Part::weight, usual::kDownAlone},
};

constexpr auto kFields = usual::table_of(
    usual::kSizes, usual::experts("num_experts"), usual::chosen_experts(),
    usual::expert_ffn("moe_intermediate_size"), usual::dense_layers("num_dense_layers", whole<2>),
    usual::kSigmoid, usual::kExpertScale, usual::renormalized("", true), lfm2::kFields);

void write_more(const Decoder& d, Json& config) {
  lfm2::write(d, config);
  config["use_expert_bias"] = true;
}

void fix(Decoder& d) {
  d.experts.routing = Routing::sigmoid;
  d.experts.sum_addend = 1e-6;
}

void gguf_graph(Decoder& d) { d.experts.renormalized = true; }

}  // namespace

extern constinit const Architecture architecture_lfm2_moe = {
    .name = "lfm2_moe",
    .summary = "LFM2 with experts: LFM2-8B-A1B",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {lfm2::read, write_more},
    .rope = lfm2::kRope,
    .fix = fix,
    .fixed_fields = lfm2::kFixed,
    .without_influence = lfm2::kWithoutInfluence,
    .table = kTable,
    .stacked = kStacked,
    .optional_prefix = "model.",
    .ignored = lfm2::kIgnored,
    .gguf = {.name = "lfm2moe",
             .computes = {.scalings = kFormulas,
                          .usual_betas = true,
                          .renormalizes_experts = true,
                          .unscaled_experts = true,
                          .even_heads = true,
                          .no_biases = true},
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.tied = true, .even_heads = true},
            .fields = kMlxFields},
};

}  // namespace zp
