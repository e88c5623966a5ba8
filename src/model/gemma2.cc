// Gemma 2: norms before and behind attention and MLP that multiply by 1 + weight, a gated MLP with
// GELU, every other layer with a window, embedding rows times sqrt(hidden), soft caps on scores and
// logits. Source: transformers models/gemma2. Biases are not supported: no published model has
// them.
#include <cmath>

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/usual_fields.h"
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
constexpr std::int64_t kWindow = 4096;  // Gemma2Config's own default

constexpr auto kTable = usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kAttention,
                                        usual::kAttentionPostNorm, usual::kPreFfnNorm,
                                        usual::kGatedMlp, usual::kFfnPostNorm, usual::kHead);

// What every Gemma 2 has.
void fix(Decoder& d) {
  d.norm_plus_one = true;
  d.embedding_scale = std::sqrt(static_cast<double>(d.hidden));
}

// Every other layer, the first among them, has one.
void set_windows(Decoder& d, std::optional<std::int64_t> window) {
  set_windows(d, window, [](std::int64_t layer) { return layer % 2 == 0; });
}

constexpr usual::OneField kWindows = {
    {{"sliding_window", "",
      Count{{[](const Decoder& d) { return d.window().value_or(0); },
             [](Decoder& d, std::int64_t n) {
               if (n > 0) set_windows(d, n);
             }},
            whole<kMostContext>,
            whole<kWindow>},
      Unsaid::left, "", true}}};
constexpr std::array kCaps = {
    Field{"attn_logit_softcapping", "attn_logit_softcapping",
          Positive{member<&Decoder::attention_soft_cap>, 50}, Unsaid::usual, "", true},
    Field{"final_logit_softcapping", "final_logit_softcapping",
          Positive{member<&Decoder::logit_soft_cap>, 30}, Unsaid::usual, "", true},
};
constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::kHeads, usual::head_size({256}), usual::rms_epsilon(1e-6),
                    usual::activation("gelu_pytorch_tanh", "hidden_activation"), usual::tied(true),
                    kCaps, usual::kQueryScalar, kWindows);

void check_layer_types(ConfigReader& fields, Decoder& d) {
  if (!fields.has("layer_types")) return;
  const std::vector<std::string> types = fields.texts("layer_types");
  bool fits = std::ssize(types) == d.layers;
  for (std::size_t i = 0; fits && i < types.size(); ++i) {
    fits = types[i] == (i % 2 == 0 ? "sliding_attention" : "full_attention");
  }
  if (!fits) fields.refuse("layer_types", "value not supported", "sliding and full in turns");
}

void write_first_name(const Decoder&, Json& config) {
  config["hidden_act"] = Json(config["hidden_activation"]);
}

// llama.cpp has no key for the scale of scores: it knows the published models by their layers.
double gguf_attention_scale(const Decoder& d) {
  constexpr std::int64_t kLayersOf27b = 46;
  const std::int64_t scalar = d.layers == kLayersOf27b ? d.hidden / d.heads : d.head_dim;
  return 1 / std::sqrt(static_cast<double>(scalar));
}

void gguf_graph(Decoder& d) {
  set_windows(d, kWindow);
  d.attention_scale = gguf_attention_scale(d);
}

}  // namespace

extern constinit const Architecture architecture_gemma2 = {
    .name = "gemma2",
    .summary = "Gemma 2",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {check_layer_types, write_first_name},
    .rope = RopeRules{.scalings = kScalings},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
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
