// Gemma 2: norms before and behind attention and MLP that multiply by 1 + weight, a gated MLP with
// GELU, every other layer with a window, embedding rows times sqrt(hidden), soft caps on scores and
// logits. Source: transformers models/gemma2. Biases are not supported: no published model has
// them.
#include <cmath>

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Gemma2ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Gemma2Model"};
constexpr std::string_view kModelTypes[] = {"gemma2"};
constexpr RopeScaling kScalings[] = {RopeScaling::none};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// hidden_act, sliding_window_size: names of the first release; transformers reads
// hidden_activation and sliding_window alone.
constexpr std::string_view kWithoutInfluence[] = {"hidden_act", "sliding_window_size"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"},
                                 {"use_bidirectional_attention", "false"}};
constexpr std::string_view kMlxFields[] = {"rms_norm_eps", "query_pre_attn_scalar"};
// Gemma2Config's own defaults.
constexpr std::int64_t kHeadDim = 256;
constexpr std::int64_t kWindow = 4096;
constexpr double kAttentionCap = 50;
constexpr double kLogitCap = 30;
constexpr double kQueryScalar = 256;
constexpr double kEpsilon = 1e-6;

constexpr auto kTable = usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kAttention,
                                        usual::kAttentionPostNorm, usual::kPreFfnNorm,
                                        usual::kGatedMlp, usual::kFfnPostNorm, usual::kHead);

// What every Gemma 2 has.
void fix(Decoder& d) {
  d.activation = Activation::gelu_tanh;
  d.norm_plus_one = true;
  d.embedding_scale = std::sqrt(static_cast<double>(d.hidden));
}

// Every other layer, the first among them, has one.
void set_windows(Decoder& d, std::optional<std::int64_t> window) {
  set_windows(d, window, [](std::int64_t layer) { return layer % 2 == 0; });
}

/// A cap, or 0 when the config says null.
double read_cap(ConfigReader& fields, std::string_view key, double otherwise) {
  if (!fields.mentions(key)) return otherwise;
  return fields.has(key) ? fields.positive(key) : 0;
}

void read_windows(ConfigReader& fields, Decoder& d) {
  std::optional<std::int64_t> window;
  if (!fields.mentions("sliding_window")) {
    window = kWindow;
  } else if (fields.has("sliding_window")) {
    window = fields.count("sliding_window", kMostContext);
  }
  set_windows(d, window);
  if (!fields.has("layer_types")) return;
  const std::vector<std::string> types = fields.texts("layer_types");
  bool fits = std::ssize(types) == d.layers;
  for (std::size_t i = 0; fits && i < types.size(); ++i) {
    fits = types[i] == (i % 2 == 0 ? "sliding_attention" : "full_attention");
  }
  if (!fits) fields.refuse("layer_types", "value not supported", "sliding and full in turns");
}

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "gemma2";
  read_sizes(fields, d, kHeadDim);
  fix(d);
  d.norm_epsilon = fields.positive("rms_norm_eps", kEpsilon);
  d.activation = fields.activation("hidden_activation", "gelu_pytorch_tanh");
  d.tied = fields.boolean("tie_word_embeddings", true);
  d.attention_scale = 1 / std::sqrt(fields.positive("query_pre_attn_scalar", kQueryScalar));
  d.attention_soft_cap = read_cap(fields, "attn_logit_softcapping", kAttentionCap);
  d.logit_soft_cap = read_cap(fields, "final_logit_softcapping", kLogitCap);
  d.rope = read_rope(fields, d, {.scalings = kScalings});
  read_windows(fields, d);
  fields.finish(d.architecture, kWithoutInfluence, kFixed);
  return d;
}

Json cap(double value) { return value > 0 ? Json(value) : Json(); }

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_activation"] = std::string(activation_word(d.activation));
  config["hidden_act"] = config["hidden_activation"];
  write_query_scalar(d, config);
  config["attn_logit_softcapping"] = cap(d.attention_soft_cap);
  config["final_logit_softcapping"] = cap(d.logit_soft_cap);
  config["sliding_window"] = d.window() ? Json(*d.window()) : Json();
  write_rope(d, config);
}

// llama.cpp has no key for the scale of scores: it knows the published models by their layers.
double gguf_attention_scale(const Decoder& d) {
  constexpr std::int64_t kLayersOf27b = 46;
  const std::int64_t scalar = d.layers == kLayersOf27b ? d.hidden / d.heads : d.head_dim;
  return 1 / std::sqrt(static_cast<double>(scalar));
}

void gguf_graph(Decoder& d) {
  fix(d);
  set_windows(d, kWindow);
  d.attention_soft_cap = kAttentionCap;
  d.logit_soft_cap = kLogitCap;
  d.attention_scale = gguf_attention_scale(d);
}

}  // namespace

extern constinit const Architecture architecture_gemma2 = {
    .name = "gemma2",
    .summary = "Gemma 2",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "gemma2",
             .computes = {.activation = Activation::gelu_tanh,
                          .windows = true,
                          .window_period = 2,
                          .needs_window = true,
                          .needs_caps = true,
                          .tied = true,
                          .attention_scale = gguf_attention_scale},
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.activation = Activation::gelu_tanh,
                         .needs_caps = true,
                         .tied = true,
                         .attention_scale = nullptr},
            .fields = kMlxFields},
};

}  // namespace zp
