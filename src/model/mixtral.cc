// Mixtral: Llama with experts instead of one MLP in every layer. Source: transformers
// models/mixtral.
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"MixtralForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"MixtralModel"};
constexpr std::string_view kModelTypes[] = {"mixtral"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// Of training.
constexpr std::string_view kWithoutInfluence[] = {"output_router_logits", "router_aux_loss_coef",
                                                  "router_jitter_noise"};
constexpr std::string_view kMlxFields[] = {"num_local_experts", "num_experts_per_tok"};

constexpr std::array kRotatedInPairs = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden, nullptr, RowOrder::interleave_query},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden, nullptr, RowOrder::interleave_key},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};

constexpr auto kTable = usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kRotatedInPairs,
                                        usual::kFfnNorm, usual::kSparseExperts, usual::kHead);

Decoder read_config(const Json& config, const std::string& where) {
  ConfigReader fields(config, where);
  Decoder d;
  d.architecture = "mixtral";
  read_sizes(fields, d);
  d.experts.count = fields.count("num_local_experts", kMostExperts);
  d.experts.chosen = fields.count("num_experts_per_tok", d.experts.count);
  d.experts.ffn = d.ffn;
  d.experts.renormalized = true;
  d.every.experts = true;
  d.norm_epsilon = fields.positive("rms_norm_eps", 1e-5);
  d.activation = fields.activation("hidden_act", "silu");
  d.tied = fields.boolean("tie_word_embeddings", false);
  d.rope = read_rope(fields, d, {.theta = 1e6});
  if (fields.has("sliding_window")) d.every.window = fields.count("sliding_window", kMostContext);
  fields.finish(d.architecture, kWithoutInfluence);
  return d;
}

void write_config(const Decoder& d, Json& config) {
  write_sizes(d, config);
  config["head_dim"] = d.head_dim;
  config["rms_norm_eps"] = d.norm_epsilon;
  config["hidden_act"] = std::string(activation_word(d.activation));
  config["num_local_experts"] = d.experts.count;
  config["num_experts_per_tok"] = d.experts.chosen;
  config["sliding_window"] = d.window() ? Json(*d.window()) : Json();
  write_rope(d, config);
}

void gguf_graph(Decoder& d) { d.experts.renormalized = true; }

}  // namespace

extern constinit const Architecture architecture_mixtral = {
    .name = "mixtral",
    .summary = "Mixtral 8x7B and 8x22B",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .read_config = read_config,
    .write_config = write_config,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    // Llama's with experts.
    .gguf = {.name = "llama",
             .computes = {.scalings = kEveryScaling,
                          .long_factors = LongFactors::by_context,
                          .usual_betas = true,
                          .experts_everywhere = true,
                          .renormalizes_experts = true},
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes, .computes = {.even_heads = true}, .fields = kMlxFields},
};

}  // namespace zp
