// DeepSeek-V2, DeepSeek-V2-Lite, DeepSeek-Coder-V2: latent attention, experts weighted by a softmax
// over all, chosen among all or among those of the best groups. Source: transformers
// models/deepseek_v2.
#include "base/json.h"
#include "model/architecture.h"
#include "model/latent_attention.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"DeepseekV2ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"DeepseekV2Model"};
constexpr std::string_view kModelTypes[] = {"deepseek_v2"};
constexpr FixedField kFixed[] = {{"mlp_bias", "false"},
                                 {"moe_layer_freq", "1"},
                                 {"norm_topk_prob", "false"},
                                 {"scoring_func", "\"softmax\""}};

// llama.cpp's LLAMA_EXPERT_GATING_FUNC_TYPE_SOFTMAX.
constexpr usual::OneField kSoftmax = {
    {{"", "expert_gating_func", Only{1, "1 (softmax)"}, Unsaid::left}}};
constexpr auto kFields = latent_attention::fields(whole<0>, kSoftmax, usual::kExpertGroups);

constexpr const char* kMethod = "topk_method";
constexpr const char* kOfAll = "greedy";
constexpr const char* kOfGroups = "group_limited_greedy";

void read_more(ConfigReader& fields, Decoder& d) {
  const std::string method = fields.text(kMethod, kOfAll);
  if (method == kOfAll) {
    d.experts.groups = d.experts.used_groups = 1;
  } else if (method != kOfGroups) {
    fields.refuse(kMethod, "value not supported", std::string(kOfAll) + " or " + kOfGroups);
  }
  latent_attention::read(fields, d);
}

void write_more(const Decoder& d, Json& config) {
  config[kMethod] = d.experts.groups > 1 ? kOfGroups : kOfAll;
}

}  // namespace

extern constinit const Architecture architecture_deepseek_v2 = {
    .name = "deepseek_v2",
    .summary = "DeepSeek-V2, DeepSeek-V2-Lite, DeepSeek-Coder-V2",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_more, write_more},
    .rope = latent_attention::kRope,
    .fix = latent_attention::fix,
    .fixed_fields = kFixed,
    .without_influence = latent_attention::kWithoutInfluence,
    .table = latent_attention::kTable,
    .stacked = usual::kStackedExperts,
    .optional_prefix = "model.",
    .ignored = latent_attention::kIgnored,
    .gguf = {.name = "deepseek2", .computes = latent_attention::kLlamaCpp, .partial_rope = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = latent_attention::kYarnAlone,
                         .needs_scaling = true,
                         .untied = true},
            .fields = latent_attention::kMlxFields},
};

}  // namespace zp
