// DeepSeek-V3, DeepSeek-R1, Kimi K2: latent attention, experts weighted by sigmoids and chosen with a
// correction by groups. Layers of multi-token prediction behind the last are left aside. Source:
// transformers models/deepseek_v3.
#include "base/json.h"
#include "model/architecture.h"
#include "model/latent_attention.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"DeepseekV3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"DeepseekV3Model"};
constexpr std::string_view kModelTypes[] = {"deepseek_v3", "kimi_k2"};
constexpr std::string_view kMlxTypes[] = {"deepseek_v3"};
constexpr FixedField kFixed[] = {{"moe_layer_freq", "1"},
                                 {"rope_interleave", "true"},
                                 {"scoring_func", "\"sigmoid\""},
                                 {"topk_method", "\"noaux_tc\""}};

constexpr auto kFields = latent_attention::fields(whole<3>, usual::kSigmoid, usual::kExpertGroups,
                                                  usual::renormalized("expert_weights_norm", true));

void write_more(const Decoder&, Json& config) {
  config["num_nextn_predict_layers"] = 0;
  config["topk_method"] = "noaux_tc";
}

void fix(Decoder& d) {
  latent_attention::fix(d);
  d.experts.routing = Routing::sigmoid;
}

}  // namespace

extern constinit const Architecture architecture_deepseek_v3 = {
    .name = "deepseek_v3",
    .summary = "DeepSeek-V3, DeepSeek-R1, Kimi K2",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {latent_attention::read, write_more},
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
    .mlx = {.model_types = kMlxTypes,
            .computes = {.scalings = latent_attention::kYarnAlone,
                         .untied = true,
                         .zeroes_groups = true},
            .fields = latent_attention::kMlxFields,
            .parts_latent = true},
};

}  // namespace zp
