// GLM-4-0414 (dense): norms before and behind attention and MLP, fused gate/up rows, biases on q, k
// and v where the model has them, and a rotation of half of each head that turns neighbours with
// each other. Source: transformers models/glm4. A head tied to the embedding is not supported: no
// published model has one.

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Glm4ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Glm4Model"};
constexpr std::string_view kModelTypes[] = {"glm4"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr FixedField kFixed[] = {{"tie_word_embeddings", "false"}, {"rope_traditional", "true"}};
constexpr std::string_view kMlxFields[] = {"attention_bias", "head_dim", "partial_rotary_factor",
                                           "rms_norm_eps", "rope_theta"};
// Glm4Config's own defaults.
constexpr std::int64_t kHeadDim = 128;
constexpr double kEpsilon = 1.5625e-7;

// clang-format off
constexpr std::array kAttention = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::query, Dim::hidden},
    TensorRow{Role::query, Part::bias, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::one, Dim::query, usual::attention_bias},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::key, Dim::hidden},
    TensorRow{Role::key, Part::bias, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::one, Dim::key, usual::attention_bias},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::key, Dim::hidden},
    TensorRow{Role::value, Part::bias, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::one, Dim::key, usual::attention_bias},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj", "blk.{}.attn_output", "", Dim::hidden, Dim::query},
    TensorRow{Role::attention_post_norm, Part::weight, "model.layers.{}.post_self_attn_layernorm", "blk.{}.post_attention_norm", "", Dim::one, Dim::hidden},
};

constexpr std::array kMlp = {
    TensorRow{Role::gate_up, Part::weight, "model.layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up", "", Dim::gate_up, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "", Dim::hidden, Dim::ffn},
    TensorRow{Role::ffn_post_norm, Part::weight, "model.layers.{}.post_mlp_layernorm", "blk.{}.post_ffw_norm", "", Dim::one, Dim::hidden},
};

constexpr std::array kHead = {
    TensorRow{Role::output_norm, Part::weight, "model.norm", "output_norm", "", Dim::one, Dim::hidden},
    TensorRow{Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden},
};
// clang-format on

constexpr auto kTable = usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kAttention,
                                        usual::kFfnNorm, kMlp, kHead);

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "glm4";
  read_sizes(fields, d, kHeadDim);
  d.norm_epsilon = fields.positive("rms_norm_eps", kEpsilon);
  d.activation = fields.activation("hidden_act", "silu");
  d.attention_bias = fields.boolean("attention_bias", true);
  d.rope = read_rope(fields, d, {.dims = d.head_dim / 2, .partial_allowed = true});
  d.rope.interleaved = true;
  fields.finish(d.architecture, {}, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  config["attention_bias"] = d.attention_bias;
  write_rope(d, config);
  config["partial_rotary_factor"] =
      static_cast<double>(d.rope.dims) / static_cast<double>(d.head_dim);
}

void gguf_graph(Decoder& d) { d.rope.interleaved = true; }

}  // namespace

extern constinit const Architecture architecture_glm4 = {
    .name = "glm4",
    .summary = "GLM-4-0414, GLM-Z1 without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "glm4",
             .computes = {.scalings = kFormulas, .usual_betas = true},
             .partial_rope = true,
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes, .computes = {}, .fields = kMlxFields},
};

}  // namespace zp
