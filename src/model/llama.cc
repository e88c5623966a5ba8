// Llama and the models that are Llama under another name: RMS norms, rotary embedding over the
// whole head, grouped-query attention, a gated MLP with SiLU. Source: transformers models/llama,
// mistral.

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"LlamaForCausalLM", "MistralForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"LlamaModel", "MistralModel"};
constexpr std::string_view kModelTypes[] = {"llama", "mistral"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// pretraining_tp only splits a product into parts; is_llama_config says nothing.
constexpr std::string_view kWithoutInfluence[] = {"pretraining_tp", "is_llama_config",
                                                  "max_sequence_length"};
constexpr FixedField kFixed[] = {{"rope_interleaved", "false"}};

bool attention_bias(const Decoder& d) { return d.attention_bias; }
bool mlp_bias(const Decoder& d) { return d.mlp_bias; }
bool untied(const Decoder& d) { return !d.tied; }

constexpr TensorRow kTable[] = {
    {Role::embedding, Part::weight, "model.embed_tokens", "token_embd", "", Dim::vocabulary,
     Dim::hidden},
    {Role::attention_norm, Part::weight, "model.layers.{}.input_layernorm", "blk.{}.attn_norm", "",
     Dim::one, Dim::hidden},
    {Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::query,
     Dim::hidden, nullptr, RowOrder::interleave_query},
    {Role::query, Part::bias, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::one,
     Dim::query, attention_bias, RowOrder::interleave_query},
    {Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::key,
     Dim::hidden, nullptr, RowOrder::interleave_key},
    {Role::key, Part::bias, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::one,
     Dim::key, attention_bias, RowOrder::interleave_key},
    {Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::key,
     Dim::hidden},
    {Role::value, Part::bias, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::one,
     Dim::key, attention_bias},
    {Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj", "blk.{}.attn_output",
     "", Dim::hidden, Dim::query},
    {Role::attention_output, Part::bias, "model.layers.{}.self_attn.o_proj", "blk.{}.attn_output",
     "", Dim::one, Dim::hidden, attention_bias},
    {Role::ffn_norm, Part::weight, "model.layers.{}.post_attention_layernorm", "blk.{}.ffn_norm",
     "", Dim::one, Dim::hidden},
    {Role::gate, Part::weight, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "", Dim::ffn,
     Dim::hidden},
    {Role::gate, Part::bias, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "", Dim::one,
     Dim::ffn, mlp_bias},
    {Role::up, Part::weight, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "", Dim::ffn,
     Dim::hidden},
    {Role::up, Part::bias, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "", Dim::one, Dim::ffn,
     mlp_bias},
    {Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "", Dim::hidden,
     Dim::ffn},
    {Role::down, Part::bias, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "", Dim::one,
     Dim::hidden, mlp_bias},
    {Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one, Dim::hidden},
    {Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden, untied},
};

// The class counts where there is no type.
bool is_mistral(ConfigReader& fields) {
  if (fields.has("model_type")) return fields.text("model_type", {}) == "mistral";
  const std::vector<std::string> classes =
      fields.has("architectures") ? fields.texts("architectures") : std::vector<std::string>();
  return !classes.empty() && classes.front().starts_with("Mistral");
}

// MistralConfig takes a window of 4096 when the field is absent, and none when it is null.
void read_mistral_window(ConfigReader& fields, Decoder& d) {
  if (!fields.mentions("sliding_window")) {
    d.every.window = 4096;
  } else if (fields.has("sliding_window")) {
    d.every.window = fields.count("sliding_window", kMostContext);
  }
}

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "llama";
  read_sizes(fields, d);
  d.norm_epsilon = fields.positive("rms_norm_eps");
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.attention_bias = fields.boolean("attention_bias", false);
  d.mlp_bias = fields.boolean("mlp_bias", false);
  d.rope = read_rope(fields, d);
  if (is_mistral(fields)) read_mistral_window(fields, d);
  fields.finish(d.architecture, kWithoutInfluence, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  config["attention_bias"] = d.attention_bias;
  config["mlp_bias"] = d.mlp_bias;
  write_rope(d, config);
  if (!d.window()) return;
  config["architectures"] = {"MistralForCausalLM"};
  config["model_type"] = "mistral";
  config["sliding_window"] = *d.window();
}

}  // namespace

extern constinit const Architecture architecture_llama = {
    .name = "llama",
    .summary = "Llama 2 and 3, TinyLlama, SmolLM, Mistral",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "llama",
             .computes = {.scalings = kEveryScaling,
                          .long_factors = LongFactors::by_context,
                          .usual_betas = true}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true}},
};

}  // namespace zp
