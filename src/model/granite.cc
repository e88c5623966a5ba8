// Granite 3 and 4 without experts and states: Llama with multipliers of the embedding, of attention's
// scores, of what each half adds to the residual stream, and of the logits. Source: transformers
// models/granite.
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"GraniteForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"GraniteModel"};
constexpr std::string_view kModelTypes[] = {"granite"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr std::string_view kWithoutInfluence[] = {"pretraining_tp"};
constexpr std::string_view kMlxFields[] = {"rms_norm_eps",
                                           "logits_scaling",
                                           "attention_multiplier",
                                           "embedding_multiplier",
                                           "residual_multiplier",
                                           "attention_bias",
                                           "mlp_bias",
                                           "rope_theta",
                                           "tie_word_embeddings"};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kPairedAttention,
                    usual::kFfnNorm, usual::kBiasedMlp, usual::kHead);

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "granite";
  read_sizes(fields, d);
  d.norm_epsilon = fields.positive("rms_norm_eps", 1e-6);
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.attention_bias = fields.boolean("attention_bias", false);
  d.mlp_bias = fields.boolean("mlp_bias", false);
  d.embedding_scale = fields.positive("embedding_multiplier", 1);
  d.attention_scale = fields.positive("attention_multiplier", 1);
  d.residual_scale = fields.positive("residual_multiplier", 1);
  d.logit_divisor = fields.positive("logits_scaling", 1);
  d.rope = read_rope(fields, d);
  fields.finish(d.architecture, kWithoutInfluence);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  config["attention_bias"] = d.attention_bias;
  config["mlp_bias"] = d.mlp_bias;
  config["embedding_multiplier"] = d.embedding_scale;
  config["attention_multiplier"] = d.attention_scale;
  config["residual_multiplier"] = d.residual_scale;
  config["logits_scaling"] = d.logit_divisor;
  write_rope(d, config);
}

void gguf_graph(Decoder& d) { d.attention_scale = natural_attention_scale(d); }

}  // namespace

extern constinit const Architecture architecture_granite = {
    .name = "granite",
    .summary = "Granite 3 and 4 without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "granite",
             .computes = {.scalings = kEveryScaling,
                          .long_factors = LongFactors::by_context,
                          .usual_betas = true,
                          .attention_scale = nullptr},
             .scale_keys = true,
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true,
                         .even_heads = true,
                         .attention_scale = nullptr},
            .fields = kMlxFields},
};

}  // namespace zp
