// gpt-oss 20B and 120B: attention with sinks and, in every other layer, a window; experts of clamped
// SwiGLU chosen by the highest scores; biases but for the head; YaRN whose ramp isn't rounded to
// whole pairs. Source: transformers models/gpt_oss; for the experts' MXFP4 its integrations/mxfp4.py.
#include <cmath>

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/config_writer.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"GptOssForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"GptOssModel"};
constexpr std::string_view kModelTypes[] = {"gpt_oss"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// Of training, and the words of the first release beside transformers' own.
constexpr std::string_view kWithoutInfluence[] = {"output_router_logits", "router_aux_loss_coef",
                                                  "initial_context_length"};
constexpr FixedField kFixed[] = {{"attention_bias", "true"},
                                 {"hidden_act", "\"silu\""},
                                 {"swiglu_alpha", "1.702"},
                                 {"tie_word_embeddings", "false"}};
// Other scalings are of no published model.
constexpr RopeScaling kScalings[] = {RopeScaling::yarn};
constexpr std::string_view kMlxFields[] = {"num_local_experts", "num_experts_per_tok",
                                           "rms_norm_eps",      "sliding_window",
                                           "layer_types",       "rope_scaling"};
constexpr std::int64_t kHeadDim = 64;  // GptOssConfig's own defaults
constexpr std::int64_t kWindow = 128;
constexpr double kTheta = 150000;
constexpr double kLimit = 7;
constexpr std::int64_t kWindowPeriod = 2;  // the other layer sees everything
constexpr double kFactor = 32;             // of YaRN, where a config says nothing of it
constexpr std::int64_t kOriginal = 4096;

constexpr std::array kSinks = {
    TensorRow{Role::sinks, Part::weight, "model.layers.{}.self_attn.sinks", "blk.{}.attn_sinks", "",
              Dim::one, Dim::heads, nullptr, RowOrder::same, false, true},
};
constexpr std::array kAttentionOutput = {
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
    TensorRow{Role::attention_output, Part::bias, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::one, Dim::hidden},
};
constexpr std::array kFfnNorm = {
    TensorRow{Role::ffn_norm, Part::weight, "model.layers.{}.post_attention_layernorm",
              "blk.{}.post_attention_norm", "", Dim::one, Dim::hidden},
};
constexpr std::array kExperts = {
    TensorRow{Role::router, Part::weight, "model.layers.{}.mlp.router", "blk.{}.ffn_gate_inp", "",
              Dim::experts, Dim::hidden},
    TensorRow{Role::router, Part::bias, "model.layers.{}.mlp.router", "blk.{}.ffn_gate_inp", "",
              Dim::one, Dim::experts},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.experts.{}.gate_proj",
              "blk.{}.ffn_gate_exps", "model.layers.{}.mlp.experts.gate_proj", Dim::expert_ffn,
              Dim::hidden},
    TensorRow{Role::gate, Part::bias, "model.layers.{}.mlp.experts.{}.gate_proj",
              "blk.{}.ffn_gate_exps", "model.layers.{}.mlp.experts.gate_proj", Dim::one,
              Dim::expert_ffn},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.experts.{}.up_proj",
              "blk.{}.ffn_up_exps", "model.layers.{}.mlp.experts.up_proj", Dim::expert_ffn,
              Dim::hidden},
    TensorRow{Role::up, Part::bias, "model.layers.{}.mlp.experts.{}.up_proj", "blk.{}.ffn_up_exps",
              "model.layers.{}.mlp.experts.up_proj", Dim::one, Dim::expert_ffn},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.experts.{}.down_proj",
              "blk.{}.ffn_down_exps", "model.layers.{}.mlp.experts.down_proj", Dim::hidden,
              Dim::expert_ffn},
    TensorRow{Role::down, Part::bias, "model.layers.{}.mlp.experts.{}.down_proj",
              "blk.{}.ffn_down_exps", "model.layers.{}.mlp.experts.down_proj", Dim::one,
              Dim::hidden},
};
constexpr std::array kOutput = {
    TensorRow{Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one,
              Dim::hidden},
    TensorRow{Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden},
};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kSinks, usual::kBiasedProjections,
                    kAttentionOutput, kFfnNorm, kExperts, kOutput);

// MXFP4 (_blocks) lies row by row, as OpenAI publishes it; floats are transposed.
constexpr StackedRow kStacked[] = {
    {.hf = "model.layers.{}.mlp.experts.gate_up_proj",
     .part = Part::weight,
     .roles = usual::kGateAndUp,
     .interleaved = true,
     .transposed = true},
    {.hf = "model.layers.{}.mlp.experts.gate_up_proj_blocks",
     .part = Part::weight,
     .roles = usual::kGateAndUp,
     .interleaved = true},
    {.hf = "model.layers.{}.mlp.experts.gate_up_proj_bias",
     .part = Part::bias,
     .roles = usual::kGateAndUp,
     .interleaved = true},
    {.hf = "model.layers.{}.mlp.experts.down_proj",
     .part = Part::weight,
     .roles = usual::kDownAlone,
     .transposed = true},
    {.hf = "model.layers.{}.mlp.experts.down_proj_blocks",
     .part = Part::weight,
     .roles = usual::kDownAlone},
    {.hf = "model.layers.{}.mlp.experts.down_proj_bias",
     .part = Part::bias,
     .roles = usual::kDownAlone},
};

constexpr usual::OneField kChosen = {{{"num_experts_per_tok", "expert_used_count",
                                       Count{member<&Decoder::experts, &Experts::chosen>,
                                             member<&Decoder::experts, &Experts::count>.get},
                                       Unsaid::refused, "experts_per_token"}}};
constexpr usual::OneField kClamp = {
    {{"swiglu_limit", "", Positive{member<&Decoder::expert_limit>, kLimit}}}};
constexpr auto kFields = usual::table_of(
    usual::kSizes, usual::experts("num_local_experts"), kChosen, usual::expert_ffn(), usual::kHeads,
    usual::head_size({kHeadDim}), usual::rms_epsilon(1e-5), kClamp);

void fix(Decoder& d) {
  d.activation = Activation::gelu_sigmoid;
  d.experts.renormalized = true;
}

void gguf_graph(Decoder& d) { d.expert_limit = kLimit; }

void read_layers(ConfigReader& fields, Decoder& d) {
  if (!fields.has("rope_parameters") && !fields.has("rope_scaling")) {
    d.rope.scaling = RopeScaling::yarn;
    d.rope.factor = kFactor;
    d.rope.attention_factor = 0.1 * std::log(kFactor) + 1;
    d.rope.truncate = false;
    d.rope.original_context = kOriginal;
  }
  if (fields.mentions("sliding_window") && !fields.has("sliding_window"))
    fields.refuse("sliding_window", "value not supported", "a number of tokens");
  read_layer_types(fields, d, fields.count("sliding_window", kMostContext, kWindow), kWindowPeriod);
}

}  // namespace

extern constinit const Architecture architecture_gpt_oss = {
    .name = "gpt_oss",
    .summary = "gpt-oss 20B and 120B",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_layers, write_layer_types},
    .rope = RopeRules{.theta = kTheta, .scalings = kScalings},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .stacked = kStacked,
    .only_stacked = true,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "gpt-oss",
             .computes = {.activation = Activation::gelu_sigmoid,
                          .scalings = kScalings,
                          .usual_betas = true,
                          .windows = true,
                          .window_period = kWindowPeriod,
                          .needs_window = true,
                          .expert_limit = kLimit},
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.activation = Activation::gelu_sigmoid,
                         .scalings = kScalings,
                         .windows = true,
                         .needs_window = true,
                         .needs_full_layer = true,
                         .expert_limit = kLimit},
            .fields = kMlxFields},
};

}  // namespace zp
