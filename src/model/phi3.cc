// Phi-3, Phi-3.5, Phi-4 and Phi-4-mini: Llama with fused q/k/v rows and fused gate/up rows,
// rotation of a part of each head, longrope, sliding window. Source: transformers models/phi3.

#include "base/json.h"
#include "model/architecture.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Phi3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Phi3Model"};
constexpr std::string_view kModelTypes[] = {"phi3"};
constexpr RopeScaling kScalings[] = {RopeScaling::none, RopeScaling::longrope};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {
    {"attention_bias", "false"}, {"mlp_bias", "false"},       {"lm_head_bias", "false"},
    {"full_attn_mod", "1"},      {"interpolate_factor", "1"},
};

constexpr std::string_view kMlxFields[] = {"rms_norm_eps"};

constexpr std::array kAttention = {
    TensorRow{Role::qkv, Part::weight, "model.layers.{}.self_attn.qkv_proj", "blk.{}.attn_qkv", "",
              Dim::qkv, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};
constexpr std::array kMlp = {
    TensorRow{Role::gate_up, Part::weight, "model.layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up", "",
              Dim::gate_up, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "",
              Dim::hidden, Dim::ffn},
};

constexpr auto kTable = usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kAttention,
                                        usual::kFfnNorm, kMlp, usual::kHead);

// transformers takes hidden / heads and has no field for it.
constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::kHeads, usual::head_size({.even = true}),
                    usual::rms_epsilon(1e-5), usual::activation(), usual::tied(), usual::kWindow);

// transformers' default is beyond small vocabularies.
void write_padding(const Decoder&, Json& config) { config["pad_token_id"] = nullptr; }

}  // namespace

extern constinit const Architecture architecture_phi3 = {
    .name = "phi3",
    .summary = "Phi-3, Phi-3.5, Phi-4, Phi-4-mini",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {.write = write_padding},
    .rope = RopeRules{.partial_allowed = true, .scalings = kScalings},
    .fixed_fields = kFixed,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "phi3",
             .computes = {.scalings = kEveryScaling, .long_factors = LongFactors::by_context},
             .always_window_key = true,
             .partial_rope = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true,
                         .even_heads = true},
            .fields = kMlxFields},
};

}  // namespace zp
