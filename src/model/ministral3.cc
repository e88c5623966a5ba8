// Ministral 3: Llama with YaRN, and queries times 1 + beta log(1 + floor(position / length)), where
// length is YaRN's original context. Source: transformers models/ministral3. Other scalings, and
// windows, are not supported: no published model has them.

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/rope_config.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Ministral3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Ministral3Model"};
constexpr std::string_view kModelTypes[] = {"ministral3"};
constexpr std::string_view kMlxWholes[] = {"mistral3"};
constexpr RopeScaling kScalings[] = {RopeScaling::yarn};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"sliding_window", "null"}};
constexpr std::string_view kMlxFields[] = {"rope_parameters"};
constexpr RopeScaling kOnlyYarn[] = {RopeScaling::yarn};

constexpr const char* kRope = "rope_parameters";
constexpr const char* kBeta = "llama_4_scaling_beta";
constexpr const char* kLength = "original_max_position_embeddings";
constexpr std::string_view kBeside[] = {kBeta, "max_position_embeddings"};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kPairedAttention,
                    usual::kFfnNorm, usual::kGatedMlp, usual::kHead);

constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::kHeads, usual::head_size({128}), usual::rms_epsilon(1e-5),
                    usual::activation(), usual::tied());

void read_tempered(ConfigReader& fields, Decoder& d) {
  if (!fields.has(kRope) || !fields.at(kRope).is_object())
    throw Error(fields.where() + ": \"" + kRope + "\"", "missing", "an object");
  ConfigReader inner(fields.at(kRope), fields.where() + ": rope");
  d.query_beta = inner.positive(kBeta);
  d.query_length = inner.count(kLength, kMostContext);
  if (inner.has("attention_factor"))
    inner.refuse("attention_factor", "value not supported", "mscale and mscale_all_dim");
  d.rope = read_rope(fields, d, {.scalings = kScalings, .beside = kBeside});
}

void write_tempered(const Decoder& d, Json& config) {
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
    .fields = kFields,
    .more = {read_tempered, write_tempered},
    .fixed_fields = kFixed,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "mistral3", .computes = {.scalings = kOnlyYarn}, .tempers_queries = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kOnlyYarn, .derives_attention_factor = true},
            .fields = kMlxFields,
            .wholes = kMlxWholes},
};

}  // namespace zp
