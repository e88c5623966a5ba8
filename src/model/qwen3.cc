// Qwen3 (dense): Llama with an RMS norm over each head of q and k before the rotation, and a head
// size of its own. Source: transformers models/qwen3. Biases on the attention are not supported:
// no published model has them.

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen3Model"};
constexpr std::string_view kModelTypes[] = {"qwen3"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"}};
constexpr std::int64_t kHeadDim = 128;  // Qwen3Config's own default

bool untied(const Decoder& d) { return !d.tied; }

constexpr TensorRow kTable[] = {
    {Role::embedding, Part::weight, "model.embed_tokens", "token_embd", "", Dim::vocabulary,
     Dim::hidden},
    {Role::attention_norm, Part::weight, "model.layers.{}.input_layernorm", "blk.{}.attn_norm", "",
     Dim::one, Dim::hidden},
    {Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::query,
     Dim::hidden},
    {Role::query_norm, Part::weight, "model.layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", "",
     Dim::one, Dim::head},
    {Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::key,
     Dim::hidden},
    {Role::key_norm, Part::weight, "model.layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", "",
     Dim::one, Dim::head},
    {Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::key,
     Dim::hidden},
    {Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj", "blk.{}.attn_output",
     "", Dim::hidden, Dim::query},
    {Role::ffn_norm, Part::weight, "model.layers.{}.post_attention_layernorm", "blk.{}.ffn_norm",
     "", Dim::one, Dim::hidden},
    {Role::gate, Part::weight, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "", Dim::ffn,
     Dim::hidden},
    {Role::up, Part::weight, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "", Dim::ffn,
     Dim::hidden},
    {Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "", Dim::hidden,
     Dim::ffn},
    {Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one, Dim::hidden},
    {Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden, untied},
};

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "qwen3";
  read_sizes(fields, d, kHeadDim);
  d.norm_epsilon = fields.positive("rms_norm_eps");
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.rope = read_rope(fields, d);
  read_window_layers(fields, d);
  fields.finish(d.architecture, {}, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  write_rope(d, config);
  write_window_layers(d, config);
}

}  // namespace

extern constinit const Architecture architecture_qwen3 = {
    .name = "qwen3",
    .summary = "Qwen3 without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
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
