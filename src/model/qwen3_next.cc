// Qwen3-Next: layers with linear attention, in turns with some whose attention is gated, and experts
// beside an MLP that all tokens go through. Source: transformers models/qwen3_next.
#include "base/json.h"
#include "model/architecture.h"
#include "model/linear_attention.h"
#include "model/sparse_layers.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3NextForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen3NextModel"};
constexpr std::string_view kModelTypes[] = {"qwen3_next"};
constexpr std::string_view kWithoutInfluence[] = {"output_router_logits", "router_aux_loss_coef"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"}, {"hidden_act", "\"silu\""}};
constexpr std::string_view kMlxFields[] = {"head_dim",
                                           "intermediate_size",
                                           "linear_conv_kernel_dim",
                                           "linear_key_head_dim",
                                           "linear_num_key_heads",
                                           "linear_num_value_heads",
                                           "linear_value_head_dim",
                                           "decoder_sparse_step",
                                           "mlp_only_layers",
                                           "num_experts",
                                           "num_experts_per_tok",
                                           "moe_intermediate_size",
                                           "shared_expert_intermediate_size",
                                           "norm_topk_prob",
                                           "partial_rotary_factor",
                                           "rms_norm_eps",
                                           "tie_word_embeddings"};

constexpr std::string_view kMlxRespelled[] = {"full_attention_interval"};

constexpr auto kTable = usual::table_of(
    usual::kEmbedding, usual::kAttentionNorm, linear_attention::kFusedProjections,
    linear_attention::kState, linear_attention::kGatedAttention, linear_attention::kFfnNorm,
    usual::kGatedMlp, usual::kExperts, linear_attention::kSharedExpert, usual::kHead);

constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::experts("num_experts"), usual::chosen_experts(),
                    usual::expert_ffn("moe_intermediate_size"), linear_attention::shared_expert(),
                    usual::renormalized({}, true), usual::kHeads, usual::head_size({256}),
                    usual::rms_epsilon(1e-6), usual::tied(), linear_attention::kFields);

void read_more(ConfigReader& fields, Decoder& d) {
  linear_attention::read(fields, d);
  read_sparse_layers(fields, d);
}

void write_more(const Decoder& d, Json& config) {
  linear_attention::write(d, config);
  write_sparse_layers(d, config);
}

void gguf_graph(Decoder& d) { d.experts.renormalized = true; }

}  // namespace

extern constinit const Architecture architecture_qwen3_next = {
    .name = "qwen3_next",
    .summary = "Qwen3-Next",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_more, write_more},
    .rope = RopeRules{.share = 0.25, .partial_allowed = true},
    .fix = linear_attention::fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .stacked = usual::kStackedExperts,
    .optional_prefix = "model.",
    .ignored = linear_attention::kIgnored,
    .gguf = {.name = "qwen3next",
             .computes = {.scalings = kFormulas,
                          .usual_betas = true,
                          .regular_attention = true,
                          .one_delta_size = true,
                          .norms_delta = true,
                          .experts_everywhere = true,
                          .renormalizes_experts = true},
             .partial_rope = true,
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.regular_attention = true},
            .fields = kMlxFields,
            .respelled = kMlxRespelled,
            .sums_norms = true},
};

}  // namespace zp
