// Qwen2 and Qwen2.5: Llama with biases on q, k and v. Source: transformers models/qwen2.

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/config_writer.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen2ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen2Model"};
constexpr std::string_view kModelTypes[] = {"qwen2"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"use_mrope", "false"}};

constexpr std::array kAttentionOutput = {
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kBiasedProjections,
                    kAttentionOutput, usual::kFfnNorm, usual::kGatedMlp, usual::kHead);

constexpr auto kFields = usual::table_of(usual::kSizes, usual::kHeads, usual::head_size(),
                                         usual::rms_epsilon(), usual::activation(), usual::tied());

}  // namespace

extern constinit const Architecture architecture_qwen2 = {
    .name = "qwen2",
    .summary = "Qwen2, Qwen2.5",
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
    .gguf = {.name = "qwen2",
             .computes = {.scalings = kFormulas, .usual_betas = true, .even_heads = true}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true,
                         .even_heads = true}},
};

}  // namespace zp
