// Qwen3 (dense): Llama with an RMS norm over each head of q and k before the rotation, and a head
// size of its own. Source: transformers models/qwen3. Biases on the attention are not supported:
// no published model has them.

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen3Model"};
constexpr std::string_view kModelTypes[] = {"qwen3"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"}};
constexpr std::int64_t kHeadDim = 128;  // Qwen3Config's own default

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kNormedAttention,
                    usual::kFfnNorm, usual::kGatedMlp, usual::kHead);

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "qwen3";
  read_sizes(fields, d, kHeadDim);
  d.norm_epsilon = fields.positive("rms_norm_eps");
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.rope = read_rope(fields, d);
  read_window_layers(fields, d);
  fields.finish(d.architecture, {}, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  write_rope(d, config);
  write_window_layers(d, config);
}

}  // namespace

extern constinit const Architecture architecture_qwen3 = {
    .name = "qwen3",
    .summary = "Qwen3 without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "qwen3", .computes = {.scalings = kFormulas, .usual_betas = true}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true}},
};

}  // namespace zp
