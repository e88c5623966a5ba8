// Qwen3.5, 3.6 and 3.8 with experts: the text's part of a model that sees. Layers as without experts, but
// for their MLPs, one of which all tokens go through. Source: transformers models/qwen3_5_moe.
#include "base/json.h"
#include "model/architecture.h"
#include "model/linear_attention.h"
#include "model/qwen3_5_parts.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3_5MoeForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen3_5MoeTextModel"};
constexpr std::string_view kModelTypes[] = {"qwen3_5_moe_text"};
constexpr std::string_view kMlxTypes[] = {"qwen3_5_moe"};

constexpr auto kTable = usual::table_of(
    usual::kEmbedding, usual::kAttentionNorm, linear_attention::kProjections,
    linear_attention::kTiledState, linear_attention::kGatedAttention, linear_attention::kFfnNorm,
    usual::kExperts, linear_attention::kSharedExpert, usual::kHead);

constexpr auto kFields = usual::table_of(
    std::array{usual::vocabulary(), usual::context(), usual::hidden(), usual::layers()},
    usual::experts("num_experts"), usual::chosen_experts(),
    usual::expert_ffn("moe_intermediate_size"), linear_attention::shared_expert(), usual::kHeads,
    usual::head_size({256}), usual::rms_epsilon(1e-6), usual::tied(), linear_attention::kFields,
    qwen3_5::kSections);

void fix(Decoder& d) {
  linear_attention::fix(d);
  d.experts.renormalized = true;
}

}  // namespace

extern constinit const Architecture architecture_qwen3_5_moe = {
    .name = "qwen3_5_moe",
    .summary = "Qwen3.5, 3.6, 3.8 with experts, text",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {linear_attention::read, qwen3_5::write},
    .rope = linear_attention::kRope,
    .fix = fix,
    .fixed_fields = qwen3_5::kFixed,
    .without_influence = qwen3_5::kWithoutInfluence,
    .table = kTable,
    .stacked = usual::kStackedExperts,
    .beyond_layers = "multi-token prediction",
    .optional_prefix = "model.",
    .ignored = linear_attention::kIgnored,
    .gguf = {.name = "qwen35moe", .computes = qwen3_5::kLlamaCpp, .partial_rope = true},
    .mlx = {.model_types = kMlxTypes,
            .computes = qwen3_5::kMlxLm,
            .fields = qwen3_5::kMlxFields,
            .respelled = qwen3_5::kMlxRespelled,
            .wholes = kMlxTypes,
            .only_whole = true,
            .sums_norms = true},
};

}  // namespace zp
