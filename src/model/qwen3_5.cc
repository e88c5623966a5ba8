// Qwen3.5, 3.6 and 3.8 without experts: the text's part of a model that sees. Layers with linear
// attention, in turns with some whose attention is gated. Source: transformers models/qwen3_5.
#include "base/json.h"
#include "model/architecture.h"
#include "model/linear_attention.h"
#include "model/qwen3_5_parts.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3_5ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen3_5TextModel"};
constexpr std::string_view kModelTypes[] = {"qwen3_5_text"};
constexpr std::string_view kMlxTypes[] = {"qwen3_5"};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, linear_attention::kProjections,
                    linear_attention::kTiledState, linear_attention::kGatedAttention,
                    linear_attention::kFfnNorm, usual::kGatedMlp, usual::kHead);

constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::kHeads, usual::head_size({256}), usual::rms_epsilon(1e-6),
                    usual::tied(), linear_attention::kFields, qwen3_5::kSections);

}  // namespace

extern constinit const Architecture architecture_qwen3_5 = {
    .name = "qwen3_5",
    .summary = "Qwen3.5, 3.6, 3.8 without experts, text",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {linear_attention::read, qwen3_5::write},
    .rope = linear_attention::kRope,
    .fix = linear_attention::fix,
    .fixed_fields = qwen3_5::kFixed,
    .without_influence = qwen3_5::kWithoutInfluence,
    .table = kTable,
    .beyond_layers = "multi-token prediction",
    .optional_prefix = "model.",
    .ignored = linear_attention::kIgnored,
    .gguf = {.name = "qwen35", .computes = qwen3_5::kLlamaCpp, .partial_rope = true},
    .mlx = {.model_types = kMlxTypes,
            .computes = qwen3_5::kMlxLm,
            .fields = qwen3_5::kMlxFields,
            .respelled = qwen3_5::kMlxRespelled,
            .wholes = kMlxTypes,
            .only_whole = true,
            .sums_norms = true},
};

}  // namespace zp
