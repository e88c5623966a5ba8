// Gemma 3, its text: Gemma 2 with RMS norms over each head of q and k instead of soft caps, five
// layers with a window to one without, and a rotation of each kind of layer's own. Source:
// transformers models/gemma3. Biases are not supported: no published model has them.
#include <cmath>

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Gemma3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Gemma3TextModel"};
constexpr std::string_view kModelTypes[] = {"gemma3_text"};
constexpr std::string_view kMlxWholes[] = {"gemma3"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"},
                                 {"attn_logit_softcapping", "null"},
                                 {"final_logit_softcapping", "null"},
                                 {"use_bidirectional_attention", "false"}};
constexpr std::string_view kMlxFields[] = {
    "rms_norm_eps",         "query_pre_attn_scalar",  "rope_theta",
    "rope_local_base_freq", "sliding_window_pattern", "sliding_window",
    "num_attention_heads",  "num_key_value_heads",    "head_dim",
    "vocab_size",           "max_position_embeddings"};
// Gemma3TextConfig's own defaults.
constexpr std::int64_t kWindow = 4096;
constexpr std::int64_t kPeriod = 6;
constexpr double kLocalTheta = 10000;
// llama.cpp's graph would sharpen attention by YaRN's factor in layers with a window, too.
constexpr RopeScaling kGgufScalings[] = {RopeScaling::linear};
constexpr RopeRules kRope = {.theta = 1000000};

constexpr auto kTable = usual::table_of(
    usual::kEmbedding, usual::kAttentionNorm, usual::kNormedAttention, usual::kAttentionPostNorm,
    usual::kPreFfnNorm, usual::kGatedMlp, usual::kFfnPostNorm, usual::kHead);

// What every Gemma 3 has.
void fix(Decoder& d) {
  d.norm_plus_one = true;
  d.embedding_scale = std::sqrt(static_cast<double>(d.hidden));
}

// Published text_configs leave out what the smallest of the models with images has.
constexpr std::array kSizes = {usual::vocabulary(whole<262'208>),
                               usual::context("max_position_embeddings", {}, whole<131'072>),
                               usual::hidden(), usual::layers(), usual::ffn()};
constexpr std::array kHeads = {usual::heads("num_attention_heads", {}, whole<8>),
                               usual::kv_heads("num_key_value_heads", {}, whole<4>)};
constexpr auto kFields =
    usual::table_of(kSizes, kHeads, usual::head_size({256}), usual::rms_epsilon(1e-6),
                    usual::activation("gelu_pytorch_tanh", "hidden_activation"), usual::tied(true),
                    usual::kQueryScalar);

void read_kinds(ConfigReader& fields, Decoder& d) {
  const std::int64_t period = fields.count("sliding_window_pattern", kMostLayers, kPeriod);
  read_layer_types(fields, d, fields.count("sliding_window", kMostContext, kWindow), period);
  read_rope_kinds(fields, d, kRope, {"rope_local_base_freq", kLocalTheta});
}

void write_kinds(const Decoder& d, Json& config) {
  write_rope(d, kRope, config);
  config["rope_local_base_freq"] = d.has(RopeKind::local) ? d.local_rope.theta : kLocalTheta;
  write_layer_types(d, config);
  config["sliding_window_pattern"] = window_period(d).value_or(kPeriod);
}

// llama.cpp has no key for the scale of scores: it knows the published models by their layers.
double gguf_attention_scale(const Decoder& d) {
  constexpr std::int64_t kLayersOf27b = 62;
  const std::int64_t scalar = d.layers == kLayersOf27b ? d.hidden / d.heads : d.head_dim;
  return 1 / std::sqrt(static_cast<double>(scalar));
}

void gguf_graph(Decoder& d) { d.attention_scale = gguf_attention_scale(d); }

}  // namespace

extern constinit const Architecture architecture_gemma3 = {
    .name = "gemma3",
    .summary = "Gemma 3, text",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_kinds, write_kinds},
    .fix = fix,
    .fixed_fields = kFixed,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "gemma3",
             .computes = {.activation = Activation::gelu_tanh,
                          .scalings = kGgufScalings,
                          .windows = true,
                          .window_period = kPeriod,
                          .attention_scale = gguf_attention_scale},
             .local_rope = true,
             .local_theta = kLocalTheta,
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.activation = Activation::gelu_tanh,
                         .scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true,
                         .windows = true,
                         .regular_windows = true,
                         .rounds_embedding_scale = true,
                         .attention_scale = nullptr},
            .fields = kMlxFields,
            .wholes = kMlxWholes},
};

}  // namespace zp
