// Mistral Small 4: DeepSeek-V3's latent attention, with queries times 1 + beta log(1 +
// floor(position / length)), where length is YaRN's original context; experts weighted by a softmax
// over all. Source: transformers models/mistral4. Groups of experts are not supported: no published
// model has them.
#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/latent_attention.h"
#include "model/rope_config.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Mistral4ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Mistral4Model"};
constexpr std::string_view kModelTypes[] = {"mistral4"};
constexpr std::string_view kMlxWholes[] = {"mistral3"};
constexpr FixedField kFixed[] = {
    {"n_group", "1"}, {"rope_interleave", "true"}, {"topk_group", "1"}};
constexpr std::string_view kMlxFields[] = {"attention_bias",
                                           "first_k_dense_replace",
                                           "kv_lora_rank",
                                           "max_position_embeddings",
                                           "moe_intermediate_size",
                                           "n_group",
                                           "n_routed_experts",
                                           "n_shared_experts",
                                           "norm_topk_prob",
                                           "num_experts_per_tok",
                                           "q_lora_rank",
                                           "qk_nope_head_dim",
                                           "qk_rope_head_dim",
                                           "rms_norm_eps",
                                           "rope_parameters",
                                           "routed_scaling_factor",
                                           "topk_group",
                                           "v_head_dim"};

constexpr const char* kRope = "rope_parameters";
constexpr const char* kBeta = "llama_4_scaling_beta";
constexpr const char* kLength = "original_max_position_embeddings";
constexpr std::string_view kBeside[] = {kBeta, "max_position_embeddings"};

// llama.cpp's LLAMA_EXPERT_GATING_FUNC_TYPE_SOFTMAX.
constexpr usual::OneField kSoftmax = {
    {{"", "expert_gating_func", Only{1, "1 (softmax)"}, Unsaid::left}}};
constexpr auto kFields =
    latent_attention::fields(whole<0>, kSoftmax, usual::renormalized("expert_weights_norm", true));

void read_more(ConfigReader& fields, Decoder& d) {
  latent_attention::read(fields, d);
  if (!fields.has(kRope) || !fields.at(kRope).is_object())
    throw Error(fields.where() + ": \"" + kRope + "\"", "missing", "an object");
  ConfigReader inner(fields.at(kRope), fields.where() + ": rope");
  d.query_beta = inner.positive(kBeta);
  d.query_length = inner.count(kLength, kMostContext);
  const Rope rope = read_rope(fields, d,
                              {.dims = d.rope.dims,
                               .partial_allowed = true,
                               .scalings = latent_attention::kYarnAlone,
                               .sharpens = true,
                               .beside = kBeside});
  if (rope.dims != d.rope.dims)
    inner.refuse("partial_rotary_factor", "rotates other dimensions than \"qk_rope_head_dim\"",
                 std::to_string(d.rope.dims) + " of " + std::to_string(d.head_dim));
  // llama.cpp has them no other way.
  if (rope.sharpening != 1) inner.refuse("mscale_all_dim", "value not supported", "1");
  if (rope.attention_factor != 1) inner.refuse("mscale", "value not supported", "1");
  d.rope = rope;
  latent_attention::fix(d);
}

void write_more(const Decoder& d, Json& config) {
  const Rope& rope = d.rope;
  config["n_group"] = 1;
  config["topk_group"] = 1;
  config[kRope] = {{"rope_type", "yarn"},
                   {"type", "yarn"},
                   {"rope_theta", rope.theta},
                   {"factor", rope.factor},
                   {"beta_fast", rope.beta_fast},
                   {"beta_slow", rope.beta_slow},
                   {"mscale", 1.0},
                   {"mscale_all_dim", 1.0},
                   {kLength, rope.original_context},
                   {kBeta, d.query_beta}};
}

}  // namespace

extern constinit const Architecture architecture_mistral4 = {
    .name = "mistral4",
    .summary = "Mistral Small 4",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_more, write_more},
    .fix = latent_attention::fix,
    .fixed_fields = kFixed,
    .without_influence = latent_attention::kWithoutInfluence,
    .table = latent_attention::kTable,
    .stacked = usual::kStackedExperts,
    .only_stacked = true,
    .optional_prefix = "model.",
    .ignored = latent_attention::kIgnored,
    .gguf = {.name = "mistral4",
             .computes = latent_attention::kLlamaCpp,
             .partial_rope = true,
             .tempers_queries = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = latent_attention::kYarnAlone, .sharpens = true},
            .fields = kMlxFields,
            .wholes = kMlxWholes,
            .parts_latent = true},
};

}  // namespace zp
