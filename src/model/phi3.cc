// Phi-3, Phi-3.5, Phi-4 and Phi-4-mini: Llama with fused q/k/v rows and fused gate/up rows,
// rotation of a part of each head, longrope, sliding window. Source: transformers models/phi3.

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"

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

bool untied(const Decoder& d) { return !d.tied; }

constexpr TensorRow kTable[] = {
    {Role::embedding, Part::weight, "model.embed_tokens", "token_embd", "", Dim::vocabulary,
     Dim::hidden},
    {Role::attention_norm, Part::weight, "model.layers.{}.input_layernorm", "blk.{}.attn_norm", "",
     Dim::one, Dim::hidden},
    {Role::qkv, Part::weight, "model.layers.{}.self_attn.qkv_proj", "blk.{}.attn_qkv", "", Dim::qkv,
     Dim::hidden},
    {Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj", "blk.{}.attn_output",
     "", Dim::hidden, Dim::query},
    {Role::ffn_norm, Part::weight, "model.layers.{}.post_attention_layernorm", "blk.{}.ffn_norm",
     "", Dim::one, Dim::hidden},
    {Role::gate_up, Part::weight, "model.layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up", "",
     Dim::gate_up, Dim::hidden},
    {Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "", Dim::hidden,
     Dim::ffn},
    {Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one, Dim::hidden},
    {Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden, untied},
};

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "phi3";
  read_sizes(fields, d);
  // transformers takes hidden / heads and has no field for it.
  if (d.head_dim * d.heads != d.hidden)
    fields.refuse("head_dim", "value not supported", "hidden / heads");
  d.norm_epsilon = fields.positive("rms_norm_eps", 1e-5);
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.rope = read_rope(fields, d, {.partial_allowed = true, .scalings = kScalings});
  if (fields.has("sliding_window")) d.every.window = fields.count("sliding_window", kMostContext);
  fields.finish(d.architecture, {}, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  write_rope(d, config);
  config["sliding_window"] = d.window() ? Json(*d.window()) : Json();
  config["pad_token_id"] = nullptr;  // transformers' default is beyond small vocabularies
}

}  // namespace

extern constinit const Architecture architecture_phi3 = {
    .name = "phi3",
    .summary = "Phi-3, Phi-3.5, Phi-4, Phi-4-mini",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
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
