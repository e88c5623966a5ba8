// Qwen2 and Qwen2.5: Llama with biases on q, k and v. Source: transformers models/qwen2.

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Qwen2ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Qwen2Model"};
constexpr std::string_view kModelTypes[] = {"qwen2"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"use_mrope", "false"}};

bool untied(const Decoder& d) { return !d.tied; }

constexpr TensorRow kTable[] = {
    {Role::embedding, Part::weight, "model.embed_tokens", "token_embd", "", Dim::vocabulary,
     Dim::hidden},
    {Role::attention_norm, Part::weight, "model.layers.{}.input_layernorm", "blk.{}.attn_norm", "",
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
  d.architecture = "qwen2";
  read_sizes(fields, d);
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

extern constinit const Architecture architecture_qwen2 = {
    .name = "qwen2",
    .summary = "Qwen2, Qwen2.5",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
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
