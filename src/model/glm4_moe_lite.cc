// GLM-4.7-Flash: as DeepSeek-V3 has it, but for how config.json says which layers have experts.
// Source: transformers models/glm4_moe_lite.
#include <algorithm>

#include "base/json.h"
#include "model/architecture.h"
#include "model/latent_attention.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Glm4MoeLiteForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Glm4MoeLiteModel"};
constexpr std::string_view kModelTypes[] = {"glm4_moe_lite"};
constexpr FixedField kFixed[] = {{"moe_layer_freq", "1"},
                                 {"rope_interleave", "true"},
                                 {"scoring_func", "\"sigmoid\""},
                                 {"topk_method", "\"noaux_tc\""}};

constexpr auto kFields = latent_attention::fields(whole<1>, usual::kSigmoid, usual::kExpertGroups,
                                                  usual::renormalized("expert_weights_norm", true));

constexpr const char* kTypes = "mlp_layer_types";
constexpr const char* kDense = "dense";
constexpr const char* kSparse = "sparse";

void read_more(ConfigReader& fields, Decoder& d) {
  latent_attention::read(fields, d);
  if (!fields.has(kTypes)) return;
  const std::vector<std::string> types = fields.texts(kTypes);
  const auto first = std::ranges::find(types, kSparse);
  const bool known = std::all_of(types.begin(), first, [](auto& t) { return t == kDense; }) &&
                     std::all_of(first, types.end(), [](auto& t) { return t == kSparse; });
  if (std::ssize(types) != d.layers || !known)
    fields.refuse(kTypes, "value not supported", "for each layer dense, then sparse");
  set_experts(d, [&](std::int64_t layer) { return layer >= first - types.begin(); });
}

void write_more(const Decoder& d, Json& config) {
  Json types = Json::array();
  for (std::int64_t i = 0; i < d.layers; ++i)
    types.push_back(d.layer(i).experts ? kSparse : kDense);
  config[kTypes] = std::move(types);
  config["num_nextn_predict_layers"] = 0;
}

void fix(Decoder& d) {
  latent_attention::fix(d);
  d.experts.routing = Routing::sigmoid;
}

}  // namespace

extern constinit const Architecture architecture_glm4_moe_lite = {
    .name = "glm4_moe_lite",
    .summary = "GLM-4.7-Flash",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_more, write_more},
    .rope = latent_attention::kRope,
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = latent_attention::kWithoutInfluence,
    .table = latent_attention::kTable,
    .stacked = usual::kStackedExperts,
    .beyond_layers = "multi-token prediction",
    .optional_prefix = "model.",
    .ignored = latent_attention::kIgnored,
    .gguf = {.name = "deepseek2", .computes = latent_attention::kLlamaCpp, .partial_rope = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = latent_attention::kYarnAlone,
                         .norms_latent = true,
                         .untied = true,
                         .zeroes_groups = true},
            .fields = latent_attention::kMlxFields,
            .parts_latent = true},
};

}  // namespace zp
