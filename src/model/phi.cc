// Phi-1, Phi-1.5 and Phi-2: one layer norm per layer whose output both the attention and the MLP
// read, rotation of a part of each head, biases everywhere, on the head too. Source: transformers
// models/phi. Reads config.json also as Microsoft's first release wrote it ("phi-msft", n_embd
// ...); that release's checkpoints had other tensor names and are not read.

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"PhiForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"PhiModel"};
constexpr std::string_view kModelTypes[] = {"phi", "phi-msft"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr std::string_view kWithoutInfluence[] = {"flash_attn", "flash_rotary", "fused_dense"};
// A tied head would share its matrix but not its bias; no such model is known.
constexpr FixedField kFixed[] = {{"qk_layernorm", "false"}, {"tie_word_embeddings", "false"}};

// "phi-msft" leads mlx-lm to a module of the first release's names.
constexpr std::string_view kMlxTypes[] = {"phi"};
constexpr std::string_view kMlxFields[] = {
    "hidden_size",       "intermediate_size",       "layer_norm_eps",      "num_attention_heads",
    "num_hidden_layers", "max_position_embeddings", "num_key_value_heads", "partial_rotary_factor"};

constexpr TensorRow kTable[] = {
    {Role::embedding, Part::weight, "model.embed_tokens", "token_embd", "", Dim::vocabulary,
     Dim::hidden},
    {Role::attention_norm, Part::weight, "model.layers.{}.input_layernorm", "blk.{}.attn_norm", "",
     Dim::one, Dim::hidden},
    {Role::attention_norm, Part::bias, "model.layers.{}.input_layernorm", "blk.{}.attn_norm", "",
     Dim::one, Dim::hidden},
    {Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::query,
     Dim::hidden},
    {Role::query, Part::bias, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::one,
     Dim::query},
    {Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::key,
     Dim::hidden},
    {Role::key, Part::bias, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::one,
     Dim::key},
    {Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::key,
     Dim::hidden},
    {Role::value, Part::bias, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::one,
     Dim::key},
    {Role::attention_output, Part::weight, "model.layers.{}.self_attn.dense", "blk.{}.attn_output",
     "", Dim::hidden, Dim::query},
    {Role::attention_output, Part::bias, "model.layers.{}.self_attn.dense", "blk.{}.attn_output",
     "", Dim::one, Dim::hidden},
    {Role::up, Part::weight, "model.layers.{}.mlp.fc1", "blk.{}.ffn_up", "", Dim::ffn, Dim::hidden},
    {Role::up, Part::bias, "model.layers.{}.mlp.fc1", "blk.{}.ffn_up", "", Dim::one, Dim::ffn},
    {Role::down, Part::weight, "model.layers.{}.mlp.fc2", "blk.{}.ffn_down", "", Dim::hidden,
     Dim::ffn},
    {Role::down, Part::bias, "model.layers.{}.mlp.fc2", "blk.{}.ffn_down", "", Dim::one,
     Dim::hidden},
    {Role::output_norm, Part::weight, "model.final_layernorm", "output_norm", "", Dim::one,
     Dim::hidden},
    {Role::output_norm, Part::bias, "model.final_layernorm", "output_norm", "", Dim::one,
     Dim::hidden},
    {Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden},
    {Role::head, Part::bias, "lm_head", "output", "", Dim::one, Dim::vocabulary},
};

constexpr RopeRules kRope = {.share = 0.5, .partial_allowed = true};
constexpr auto kFields = usual::table_of(
    std::array{usual::vocabulary(), usual::context("max_position_embeddings", "n_positions"),
               usual::hidden("hidden_size", "n_embd"),
               usual::layers("num_hidden_layers", "n_layer"),
               usual::ffn("intermediate_size", "n_inner", usual::fourfold),
               usual::heads("num_attention_heads", "n_head"),
               usual::kv_heads("num_key_value_heads", "n_head_kv")},
    usual::head_size({.even = true}),  // mlx-lm's folders say it; transformers has no such field
    usual::layer_norm_epsilon("layer_norm_eps", 1e-5, "layer_norm_epsilon"),
    usual::activation("gelu_new", "hidden_act", "activation_function"), usual::tied());

// The first release says rotary_dim.
void read_dims(ConfigReader& fields, Decoder& d) {
  RopeRules rules = kRope;
  rules.dims = fields.count("rotary_dim", d.head_dim, 0);
  d.rope = read_rope(fields, d, rules);
}

void write_dims(const Decoder& d, Json& config) { write_rope(d, kRope, config); }

void fix(Decoder& d) {
  d.norm = Norm::layer;
  d.gated = false;
  d.parallel = true;
}

}  // namespace

extern constinit const Architecture architecture_phi = {
    .name = "phi",
    .summary = "Phi-1, Phi-1.5, Phi-2",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_dims, write_dims},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "phi2",
             .computes = {.activation = Activation::gelu_tanh,
                          .scalings = kFormulas,
                          .usual_betas = true},
             .partial_rope = true},
    .mlx = {.model_types = kMlxTypes,
            .computes = {.activation = Activation::gelu_tanh, .even_heads = true},
            .fields = kMlxFields},
};

}  // namespace zp
