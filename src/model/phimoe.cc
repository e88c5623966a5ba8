// Phi-3.5-MoE, Phi-mini-MoE and Phi-tiny-MoE: experts chosen by SparseMixer, layer norms, biases on
// attention and head, longrope with an attention factor of its own beyond the original context.
// Source: transformers models/phimoe, and for longrope's factors Microsoft's own modeling_phimoe.py
// (transformers 5 takes the short ones at every length).
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
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

bool attention_bias(const Decoder& d) { return d.attention_bias; }
bool head_bias(const Decoder& d) { return d.head_bias; }

constexpr std::array kNormBias = {
    TensorRow{Role::attention_norm, Part::bias, "model.layers.{}.input_layernorm",
              "blk.{}.attn_norm", "", Dim::one, Dim::hidden},
};
constexpr std::array kAttentionBiases = {
    TensorRow{Role::query, Part::bias, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::one, Dim::query, attention_bias},
    TensorRow{Role::key, Part::bias, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::one, Dim::key, attention_bias},
    TensorRow{Role::value, Part::bias, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::one, Dim::key, attention_bias},
    TensorRow{Role::attention_output, Part::bias, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::one, Dim::hidden, attention_bias},
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

void set_graph(Decoder& d) {
  d.norm = Norm::layer;
  d.experts.routing = Routing::sparsemixer;
}

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "phimoe";
  read_sizes(fields, d);
  set_graph(d);
  d.experts.count = fields.count("num_local_experts", kMostExperts, 16);
  d.experts.chosen = 2;
  if (d.experts.count < 2) fields.refuse("num_local_experts", "out of range", "at least 2");
  d.experts.ffn = d.ffn;
  d.experts.noise = fields.positive("router_jitter_noise", 0.01);
  d.every.experts = true;
  d.norm_epsilon = fields.positive("rms_norm_eps", 1e-5);
  d.activation = fields.activation("hidden_act", "silu");
  d.attention_bias = fields.boolean("attention_bias", false);
  d.head_bias = fields.boolean("lm_head_bias", false);
  d.rope = read_rope(fields, d, {.theta = 1e6, .scalings = kScalings, .mscales = true});
  if (fields.has("sliding_window")) d.every.window = fields.count("sliding_window", kMostContext);
  fields.finish(d.architecture, kWithoutInfluence, kFixed);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  config["attention_bias"] = d.attention_bias;
  config["lm_head_bias"] = d.head_bias;
  config["num_local_experts"] = d.experts.count;
  config["num_experts_per_tok"] = d.experts.chosen;
  config["router_jitter_noise"] = d.experts.noise;
  config["sliding_window"] = d.window() ? Json(*d.window()) : Json();
  write_rope(d, config);
  Json& scaling = config["rope_scaling"];
  if (!scaling.is_object()) return;
  const Rope& rope = d.rope;
  // transformers looks for it here.
  scaling["original_max_position_embeddings"] = rope.original_context;
  scaling["short_mscale"] = rope.attention_factor;
  scaling["long_mscale"] =
      rope.long_attention_factor != 0 ? rope.long_attention_factor : rope.attention_factor;
}

}  // namespace

extern constinit const Architecture architecture_phimoe = {
    .name = "phimoe",
    .summary = "Phi-3.5-MoE, Phi-mini-MoE, Phi-tiny-MoE",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
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
             .always_window_key = true,
             .graph = set_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kLongrope,
                         .long_factors = LongFactors::always,
                         .needs_biases = true,
                         .even_heads = true},
            .fields = kMlxFields},
};

}  // namespace zp
