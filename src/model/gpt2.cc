// GPT-2: learned positions, layer norms with biases, fused q/k/v, an MLP without a gate, biases
// everywhere. Its matrices are Conv1D: stored inputs x outputs. Source: transformers models/gpt2.

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"GPT2LMHeadModel"};
constexpr std::string_view kInnerClasses[] = {"GPT2Model"};
constexpr std::string_view kModelTypes[] = {"gpt2"};
// Mask buffers that older checkpoints store.
constexpr std::string_view kIgnored[] = {"*h.*.attn.bias", "*h.*.attn.masked_bias"};
// summary_*, n_special, predict_special_tokens: of other classes. n_ctx: the context that
// n_positions says. reorder_and_upcast_attn: the order of rounding in mixed precision.
constexpr std::string_view kWithoutInfluence[] = {
    "n_ctx",
    "n_special",
    "predict_special_tokens",
    "reorder_and_upcast_attn",
    "summary_activation",
    "summary_first_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
};
constexpr FixedField kFixed[] = {{"scale_attn_weights", "true"},
                                 {"scale_attn_by_inverse_layer_idx", "false"}};

constexpr std::string_view kMlxFields[] = {"n_ctx", "layer_norm_epsilon"};

bool untied(const Decoder& d) { return !d.tied; }

constexpr TensorRow conv1d(Role role, std::string_view hf, std::string_view gguf,
                           std::string_view mlx, Dim rows, Dim cols) {
  return {role, Part::weight, hf, gguf, mlx, rows, cols, nullptr, RowOrder::same, true};
}

constexpr TensorRow kTable[] = {
    {Role::embedding, Part::weight, "transformer.wte", "token_embd", "model.wte", Dim::vocabulary,
     Dim::hidden},
    {Role::position, Part::weight, "transformer.wpe", "position_embd", "model.wpe", Dim::context,
     Dim::hidden},
    {Role::attention_norm, Part::weight, "transformer.h.{}.ln_1", "blk.{}.attn_norm",
     "model.h.{}.ln_1", Dim::one, Dim::hidden},
    {Role::attention_norm, Part::bias, "transformer.h.{}.ln_1", "blk.{}.attn_norm",
     "model.h.{}.ln_1", Dim::one, Dim::hidden},
    conv1d(Role::qkv, "transformer.h.{}.attn.c_attn", "blk.{}.attn_qkv", "model.h.{}.attn.c_attn",
           Dim::qkv, Dim::hidden),
    {Role::qkv, Part::bias, "transformer.h.{}.attn.c_attn", "blk.{}.attn_qkv",
     "model.h.{}.attn.c_attn", Dim::one, Dim::qkv},
    conv1d(Role::attention_output, "transformer.h.{}.attn.c_proj", "blk.{}.attn_output",
           "model.h.{}.attn.c_proj", Dim::hidden, Dim::query),
    {Role::attention_output, Part::bias, "transformer.h.{}.attn.c_proj", "blk.{}.attn_output",
     "model.h.{}.attn.c_proj", Dim::one, Dim::hidden},
    {Role::ffn_norm, Part::weight, "transformer.h.{}.ln_2", "blk.{}.ffn_norm", "model.h.{}.ln_2",
     Dim::one, Dim::hidden},
    {Role::ffn_norm, Part::bias, "transformer.h.{}.ln_2", "blk.{}.ffn_norm", "model.h.{}.ln_2",
     Dim::one, Dim::hidden},
    conv1d(Role::up, "transformer.h.{}.mlp.c_fc", "blk.{}.ffn_up", "model.h.{}.mlp.c_fc", Dim::ffn,
           Dim::hidden),
    {Role::up, Part::bias, "transformer.h.{}.mlp.c_fc", "blk.{}.ffn_up", "model.h.{}.mlp.c_fc",
     Dim::one, Dim::ffn},
    conv1d(Role::down, "transformer.h.{}.mlp.c_proj", "blk.{}.ffn_down", "model.h.{}.mlp.c_proj",
           Dim::hidden, Dim::ffn),
    {Role::down, Part::bias, "transformer.h.{}.mlp.c_proj", "blk.{}.ffn_down",
     "model.h.{}.mlp.c_proj", Dim::one, Dim::hidden},
    {Role::output_norm, Part::weight, "transformer.ln_f", "output_norm", "model.ln_f", Dim::one,
     Dim::hidden},
    {Role::output_norm, Part::bias, "transformer.ln_f", "output_norm", "model.ln_f", Dim::one,
     Dim::hidden},
    {Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden, untied},
};

constexpr auto kFields = usual::table_of(
    std::array{usual::vocabulary(), usual::context("n_positions"), usual::hidden("n_embd"),
               usual::layers("n_layer"), usual::ffn("n_inner", {}, usual::fourfold),
               usual::heads("n_head"), usual::kv_heads({})},
    usual::head_size({.even = true}), usual::layer_norm_epsilon("layer_norm_epsilon", 1e-5),
    usual::activation("gelu_new", "activation_function"), usual::tied(true));

// The first release's name, which mlx-lm wants beside the other.
void write_context(const Decoder& d, Json& config) { config["n_ctx"] = d.context; }

void fix(Decoder& d) {
  d.norm = Norm::layer;
  d.gated = false;
}

}  // namespace

extern constinit const Architecture architecture_gpt2 = {
    .name = "gpt2",
    .summary = "GPT-2, DistilGPT-2",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {.write = write_context},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .optional_prefix = "transformer.",
    .ignored = kIgnored,
    .gguf = {.name = "gpt2", .computes = {.activation = Activation::gelu_tanh}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.activation = Activation::gelu_tanh, .tied = true, .fourfold_ffn = true},
            .fields = kMlxFields},
};

}  // namespace zp
