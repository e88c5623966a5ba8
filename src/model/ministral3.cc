// Ministral 3: Llama with YaRN, and queries times 1 + beta log(1 + floor(position / length)), where
// length is YaRN's original context. Source: transformers models/ministral3. Other scalings, and
// windows, are not supported: no published model has them.

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Ministral3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Ministral3Model"};
constexpr std::string_view kModelTypes[] = {"ministral3"};
constexpr RopeScaling kScalings[] = {RopeScaling::yarn};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"sliding_window", "null"}};
constexpr std::string_view kMlxFields[] = {"rope_parameters"};
constexpr RopeScaling kOnlyYarn[] = {RopeScaling::yarn};
constexpr std::int64_t kHeadDim = 128;  // Ministral3Config's own default

constexpr const char* kRope = "rope_parameters";
constexpr const char* kBeta = "llama_4_scaling_beta";
constexpr const char* kLength = "original_max_position_embeddings";

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kPairedAttention,
                    usual::kFfnNorm, usual::kGatedMlp, usual::kHead);

// Takes beta out of the rotary embedding's object, and what that has beside its own fields.
double take_beta(Json& config, const std::string& where) {
  const Json rope = config.value(kRope, Json());
  if (!rope.is_object()) throw Error(where + ": \"" + kRope + "\"", "missing", "an object");
  ConfigReader fields(rope, where + ": rope");
  const double beta = fields.positive(kBeta);
  fields.count(kLength, kMostContext);
  if (fields.has("attention_factor"))
    fields.refuse("attention_factor", "value not supported", "mscale and mscale_all_dim");
  for (const char* object : {kRope, "rope_scaling"}) {  // MLX folders have both
    if (!config.value(object, Json()).is_object()) continue;
    config[object].erase(kBeta);
    config[object].erase("max_position_embeddings");
  }
  return beta;
}

Decoder read_config(const Json& stated, const std::string& where) {
  Json config = stated;
  Decoder d;
  d.architecture = "ministral3";
  d.query_beta = take_beta(config, where);
  ConfigReader fields(config, where);
  read_sizes(fields, d, kHeadDim);
  d.norm_epsilon = fields.positive("rms_norm_eps", 1e-5);
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.rope = read_rope(fields, d, {.scalings = kScalings});
  d.query_length = d.rope.original_context;
  fields.finish(d.architecture, {}, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  const Rope& rope = d.rope;
  const double unit = 0.1 * std::log(std::max(rope.factor, 1.0));
  const double mscale = unit > 0 ? (rope.attention_factor * (1 + unit) - 1) / unit : 1;
  config[kRope] = {{"rope_type", "yarn"},
                   {"type", "yarn"},
                   {"rope_theta", rope.theta},
                   {"factor", rope.factor},
                   {"beta_fast", rope.beta_fast},
                   {"beta_slow", rope.beta_slow},
                   {"mscale", mscale},
                   {"mscale_all_dim", 1.0},
                   {kLength, rope.original_context},
                   {kBeta, d.query_beta}};
}

}  // namespace

extern constinit const Architecture architecture_ministral3 = {
    .name = "ministral3",
    .summary = "Ministral 3",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "mistral3", .computes = {.scalings = kOnlyYarn}, .tempers_queries = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kOnlyYarn, .derives_attention_factor = true},
            .fields = kMlxFields},
};

}  // namespace zp
