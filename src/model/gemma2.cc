// Gemma 2: norms before and behind attention and MLP that multiply by 1 + weight, a gated MLP with
// GELU, every other layer with a window, embedding rows times sqrt(hidden), soft caps on scores and
// logits. Source: transformers models/gemma2. Biases are not supported: no published model has
// them.
#include <cmath>

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Gemma2ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Gemma2Model"};
constexpr std::string_view kModelTypes[] = {"gemma2"};
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

bool untied(const Decoder& d) { return !d.tied; }

constexpr TensorRow kTable[] = {
    {Role::embedding, Part::weight, "model.embed_tokens", "token_embd", "", Dim::vocabulary,
     Dim::hidden},
    {Role::attention_norm, Part::weight, "model.layers.{}.input_layernorm", "blk.{}.attn_norm", "",
     Dim::one, Dim::hidden},
    {Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::query,
     Dim::hidden},
    {Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::key,
     Dim::hidden},
    {Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::key,
     Dim::hidden},
    {Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj", "blk.{}.attn_output",
     "", Dim::hidden, Dim::query},
    {Role::attention_post_norm, Part::weight, "model.layers.{}.post_attention_layernorm",
     "blk.{}.post_attention_norm", "", Dim::one, Dim::hidden},
    {Role::ffn_norm, Part::weight, "model.layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm",
     "", Dim::one, Dim::hidden},
    {Role::gate, Part::weight, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "", Dim::ffn,
     Dim::hidden},
    {Role::up, Part::weight, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "", Dim::ffn,
     Dim::hidden},
    {Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "", Dim::hidden,
     Dim::ffn},
    {Role::ffn_post_norm, Part::weight, "model.layers.{}.post_feedforward_layernorm",
     "blk.{}.post_ffw_norm", "", Dim::one, Dim::hidden},
    {Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one, Dim::hidden},
    {Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden, untied},
};

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
  d.rope = read_rope(fields, d, {.scalings = {RopeScaling::none}});
  read_windows(fields, d);
  fields.finish(d.architecture, kWithoutInfluence, kFixed);
  return d;
}

// The number whose root the scale is 1 over; an integer in every published model.
double query_scalar(const Decoder& d) {
  const double scalar = 1 / (d.attention_scale * d.attention_scale);
  const double whole = std::round(scalar);
  return 1 / std::sqrt(whole) == d.attention_scale ? whole : scalar;
}

Json cap(double value) { return value > 0 ? Json(value) : Json(); }

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_activation"] = std::string(activation_word(d.activation));
  config["hidden_act"] = config["hidden_activation"];
  const double scalar = query_scalar(d);
  config["query_pre_attn_scalar"] =
      scalar == std::round(scalar) ? Json(static_cast<std::int64_t>(scalar)) : Json(scalar);
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
