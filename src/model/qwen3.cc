// Qwen3 (dense): Llama with an RMS norm over each head of q and k before the rotation, and a head
// size of its own. Source: transformers models/qwen3. Biases on the attention are not supported:
// no published model has them.

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/config_writer.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen3Model"};
constexpr std::string_view kModelTypes[] = {"qwen3"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"}};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kNormedAttention,
                    usual::kFfnNorm, usual::kGatedMlp, usual::kHead);

constexpr auto kFields = usual::table_of(usual::kSizes, usual::kHeads, usual::head_size({128}),
                                         usual::rms_epsilon(), usual::activation(), usual::tied());

}  // namespace

extern constinit const Architecture architecture_qwen3 = {
    .name = "qwen3",
    .summary = "Qwen3 without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_window_layers, write_window_layers},
    .rope = RopeRules{},
    .fixed_fields = kFixed,
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
