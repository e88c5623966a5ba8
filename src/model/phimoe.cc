// Phi-3.5-MoE, Phi-mini-MoE and Phi-tiny-MoE: experts chosen by SparseMixer, layer norms, biases on
// attention and head, longrope with an attention factor of its own beyond the original context.
// Source: transformers models/phimoe, and for longrope's factors Microsoft's own modeling_phimoe.py
// (transformers 5 takes the short ones at every length).
#include "base/json.h"
#include "model/architecture.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"PhimoeForCausalLM", "PhiMoEForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"PhimoeModel", "PhiMoEModel"};
constexpr std::string_view kModelTypes[] = {"phimoe"};
constexpr RopeScaling kScalings[] = {RopeScaling::none, RopeScaling::longrope};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// Of training.
constexpr std::string_view kWithoutInfluence[] = {"output_router_logits", "router_aux_loss_coef",
                                                  "input_jitter_noise"};
// A tied head would share its matrix but not its bias; no such model is known. SparseMixer's code
// chooses two.
constexpr FixedField kFixed[] = {{"tie_word_embeddings", "false"}, {"num_experts_per_tok", "2"}};
constexpr std::string_view kMlxFields[] = {"rms_norm_eps", "num_local_experts",
                                           "num_experts_per_tok", "router_jitter_noise"};

bool head_bias(const Decoder& d) { return d.head_bias; }

constexpr std::array kNormBias = {
    TensorRow{Role::attention_norm, Part::bias, "model.layers.{}.input_layernorm",
              "blk.{}.attn_norm", "", Dim::one, Dim::hidden},
};
constexpr std::array kAttentionBiases = {
    TensorRow{Role::query, Part::bias, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::one, Dim::query, usual::attention_bias},
    TensorRow{Role::key, Part::bias, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::one, Dim::key, usual::attention_bias},
    TensorRow{Role::value, Part::bias, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::one, Dim::key, usual::attention_bias},
    TensorRow{Role::attention_output, Part::bias, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::one, Dim::hidden, usual::attention_bias},
};
constexpr std::array kFfnNormBias = {
    TensorRow{Role::ffn_norm, Part::bias, "model.layers.{}.post_attention_layernorm",
              "blk.{}.ffn_norm", "", Dim::one, Dim::hidden},
};
constexpr std::array kOutput = {
    TensorRow{Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one,
              Dim::hidden},
    TensorRow{Role::output_norm, Part::bias, "model.norm", "output_norm", "", Dim::one,
              Dim::hidden},
    TensorRow{Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden},
    TensorRow{Role::head, Part::bias, "lm_head", "output", "", Dim::one, Dim::vocabulary,
              head_bias},
};

constexpr auto kTable = usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kNormBias,
                                        usual::kAttention, kAttentionBiases, usual::kFfnNorm,
                                        kFfnNormBias, usual::kSparseExperts, kOutput);

void fix(Decoder& d) {
  d.norm = Norm::layer;
  d.experts.routing = Routing::sparsemixer;
}

constexpr usual::OneField kHeadBias = {{{"lm_head_bias", "", Flag{member<&Decoder::head_bias>}}}};
constexpr usual::OneField kNoise = {
    {{"router_jitter_noise", "", Positive{member<&Decoder::experts, &Experts::noise>, 0.01}}}};
constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::experts("num_local_experts", {}, whole<16>, 2),
                    usual::chosen_experts(whole<2>), usual::expert_ffn(), usual::kHeads,
                    usual::head_size(), usual::rms_epsilon(1e-5), usual::activation(),
                    usual::tied(), usual::attention_biases(), kHeadBias, kNoise, usual::kWindow);

}  // namespace

extern constinit const Architecture architecture_phimoe = {
    .name = "phimoe",
    .summary = "Phi-3.5-MoE, Phi-mini-MoE, Phi-tiny-MoE",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .rope = RopeRules{.theta = 1e6, .scalings = kScalings, .mscales = true},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .stacked = usual::kStackedExperts,
    .newer_part = {"block_sparse_moe.gate.", "mlp.router."},
    .optional_prefix = "model.",
    .ignored = kIgnored,
    // Phi-3's with experts.
    .gguf = {.name = "phimoe",
             .computes = {.scalings = kEveryScaling,
                          .long_factors = LongFactors::by_context,
                          .experts_everywhere = true,
                          .softmax_routing = true,
                          .needs_biases = true,
                          .rms_norms = true,
                          .one_attention_factor = true,
                          .even_heads = true},
             .always_window_key = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kLongrope,
                         .long_factors = LongFactors::always,
                         .needs_biases = true,
                         .even_heads = true},
            .fields = kMlxFields},
};

}  // namespace zp
