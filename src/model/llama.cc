// Llama and the models that are Llama under another name: RMS norms, rotary embedding over the
// whole head, grouped-query attention, a gated MLP with SiLU. Source: transformers models/llama,
// mistral.

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"LlamaForCausalLM", "MistralForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"LlamaModel", "MistralModel"};
constexpr std::string_view kModelTypes[] = {"llama", "mistral"};
constexpr std::string_view kMlxWholes[] = {"mistral3"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// pretraining_tp only splits a product into parts; is_llama_config says nothing.
constexpr std::string_view kWithoutInfluence[] = {"pretraining_tp", "is_llama_config",
                                                  "max_sequence_length"};
constexpr FixedField kFixed[] = {{"rope_interleaved", "false"}};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kPairedAttention,
                    usual::kFfnNorm, usual::kBiasedMlp, usual::kHead);

// The class counts where there is no type.
bool is_mistral(ConfigReader& fields) {
  if (fields.has("model_type")) return fields.text("model_type", {}) == "mistral";
  const std::vector<std::string> classes =
      fields.has("architectures") ? fields.texts("architectures") : std::vector<std::string>();
  return !classes.empty() && classes.front().starts_with("Mistral");
}

// MistralConfig takes a window of 4096 when the field is absent, and none when it is null.
void read_mistral(ConfigReader& fields, Decoder& d) {
  if (!is_mistral(fields)) return;
  if (!fields.mentions("sliding_window")) {
    d.every.window = 4096;
  } else if (fields.has("sliding_window")) {
    d.every.window = fields.count("sliding_window", kMostContext);
  }
}

constexpr auto kFields = usual::table_of(usual::kSizes, usual::kHeads, usual::head_size(),
                                         usual::rms_epsilon(), usual::activation(), usual::tied(),
                                         usual::attention_biases(), usual::mlp_biases());

void write_mistral(const Decoder& d, Json& config) {
  if (!d.window()) return;
  config["architectures"] = {"MistralForCausalLM"};
  config["model_type"] = "mistral";
  config["sliding_window"] = *d.window();
}

}  // namespace

extern constinit const Architecture architecture_llama = {
    .name = "llama",
    .summary = "Llama 2 and 3, TinyLlama, SmolLM, Mistral",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_mistral, write_mistral},
    .rope = RopeRules{},
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "llama",
             .computes = {.scalings = kEveryScaling,
                          .long_factors = LongFactors::by_context,
                          .usual_betas = true}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true},
            .wholes = kMlxWholes},
};

}  // namespace zp
