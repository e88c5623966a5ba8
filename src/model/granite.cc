// Granite 3 and 4 without experts and states: Llama with multipliers of the embedding, of attention's
// scores, of what each half adds to the residual stream, and of the logits. Source: transformers
// models/granite.
#include "base/json.h"
#include "model/architecture.h"
#include "model/granite_parts.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"GraniteForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"GraniteModel"};
constexpr std::string_view kModelTypes[] = {"granite"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr std::string_view kWithoutInfluence[] = {"pretraining_tp"};
constexpr std::string_view kMlxFields[] = {"rms_norm_eps",
                                           "logits_scaling",
                                           "attention_multiplier",
                                           "embedding_multiplier",
                                           "residual_multiplier",
                                           "attention_bias",
                                           "mlp_bias",
                                           "rope_theta",
                                           "tie_word_embeddings"};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kPairedAttention,
                    usual::kFfnNorm, usual::kBiasedMlp, usual::kHead);

constexpr auto kFields = usual::table_of(
    usual::kSizes, usual::kHeads, usual::head_size(), usual::rms_epsilon(1e-6), usual::activation(),
    usual::tied(), usual::attention_biases(), usual::mlp_biases(), granite::kMultipliers);

void gguf_graph(Decoder& d) {
  if (d.attention_scale == 0) d.attention_scale = natural_attention_scale(d);
}

}  // namespace

extern constinit const Architecture architecture_granite = {
    .name = "granite",
    .summary = "Granite 3 and 4 without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .rope = RopeRules{},
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "granite",
             .computes = {.scalings = kEveryScaling,
                          .long_factors = LongFactors::by_context,
                          .usual_betas = true,
                          .attention_scale = nullptr},
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true,
                         .even_heads = true,
                         .attention_scale = nullptr},
            .fields = kMlxFields},
};

}  // namespace zp
