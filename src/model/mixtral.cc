// Mixtral: Llama with experts instead of one MLP in every layer. Source: transformers
// models/mixtral.
#include "base/json.h"
#include "model/architecture.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"MixtralForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"MixtralModel"};
constexpr std::string_view kModelTypes[] = {"mixtral"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// Of training.
constexpr std::string_view kWithoutInfluence[] = {"output_router_logits", "router_aux_loss_coef",
                                                  "router_jitter_noise"};
constexpr std::string_view kMlxFields[] = {"num_local_experts", "num_experts_per_tok"};

constexpr std::array kRotatedInPairs = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden, nullptr, RowOrder::interleave_query},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden, nullptr, RowOrder::interleave_key},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};

constexpr auto kTable = usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kRotatedInPairs,
                                        usual::kFfnNorm, usual::kSparseExperts, usual::kHead);

constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::experts("num_local_experts"), usual::chosen_experts(),
                    usual::expert_ffn(), usual::kHeads, usual::head_size(),
                    usual::rms_epsilon(1e-5), usual::activation(), usual::tied(), usual::kWindow);

void fix(Decoder& d) { d.experts.renormalized = true; }

}  // namespace

extern constinit const Architecture architecture_mixtral = {
    .name = "mixtral",
    .summary = "Mixtral 8x7B and 8x22B",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .rope = RopeRules{.theta = 1e6},
    .fix = fix,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .stacked = usual::kStackedExperts,
    .newer_part = {"block_sparse_moe.gate.", "mlp.gate."},
    .optional_prefix = "model.",
    .ignored = kIgnored,
    // Llama's with experts.
    .gguf = {.name = "llama",
             .computes = {.scalings = kEveryScaling,
                          .long_factors = LongFactors::by_context,
                          .usual_betas = true,
                          .experts_everywhere = true,
                          .renormalizes_experts = true}},
    .mlx = {.model_types = kModelTypes, .computes = {.even_heads = true}, .fields = kMlxFields},
};

}  // namespace zp
