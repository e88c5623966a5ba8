// OLMo 2 and 3: Llama whose norms stand behind attention and MLP only, with RMS norms over the whole
// of q and of k before the rotation. OLMo 3 has layers with a window, whose rotation isn't scaled.
// Source: transformers models/olmo2, models/olmo3. Biases on the attention are not supported: no
// published model has them.
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Olmo2ForCausalLM", "Olmo3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Olmo2Model", "Olmo3Model"};
constexpr std::string_view kModelTypes[] = {"olmo2", "olmo3"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// A head that is the embedding: llama.cpp wants one of its own, and no published model has it.
constexpr FixedField kFixed[] = {{"attention_bias", "false"}, {"tie_word_embeddings", "false"}};
constexpr std::string_view kMlxFields[] = {"rope_theta", "rms_norm_eps", "sliding_window",
                                           "layer_types", "tie_word_embeddings"};
// Olmo3Config's own defaults.
constexpr std::int64_t kPeriod = 4;
constexpr std::int64_t kWindow = 4096;
constexpr RopeRules kRope3 = {.theta = 500000};

// clang-format off
constexpr std::array kAttention = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::query, Dim::hidden},
    TensorRow{Role::query_norm, Part::weight, "model.layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", "", Dim::one, Dim::query},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::key, Dim::hidden},
    TensorRow{Role::key_norm, Part::weight, "model.layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", "", Dim::one, Dim::key},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::key, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj", "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};
// clang-format on

constexpr auto kTable = usual::table_of(usual::kEmbedding, kAttention, usual::kAttentionPostNorm,
                                        usual::kGatedMlp, usual::kFfnPostNorm, usual::kHead);

bool is_olmo3(ConfigReader& fields) {
  const std::string type = fields.text("model_type", "");
  if (!type.empty()) return type == "olmo3";
  const std::vector<std::string> classes = fields.texts("architectures");
  return !classes.empty() && classes.front().starts_with("Olmo3");
}

constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::kHeads, usual::head_size(), usual::rms_epsilon(1e-5),
                    usual::activation(), usual::tied());

void read_kinds(ConfigReader& fields, Decoder& d) {
  if (is_olmo3(fields)) {
    read_layer_types(fields, d, fields.count("sliding_window", kMostContext, kWindow), kPeriod);
    read_rope_kinds(fields, d, kRope3, {});
  } else {
    d.rope = read_rope(fields, d);
  }
}

void write_kinds(const Decoder& d, Json& config) {
  config["pad_token_id"] = nullptr;  // transformers' defaults are beyond small vocabularies
  config["eos_token_id"] = nullptr;
  write_rope(d, {}, config);
  if (!d.window()) return;
  config["architectures"] = {"Olmo3ForCausalLM"};
  config["model_type"] = "olmo3";
  write_layer_types(d, config);
  write_rope_kinds(d, config);
}

}  // namespace

extern constinit const Architecture architecture_olmo2 = {
    .name = "olmo2",
    .summary = "OLMo 2 and 3",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_kinds, write_kinds},
    .fixed_fields = kFixed,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "olmo2",
             .computes = {.scalings = kFormulas,
                          .usual_betas = true,
                          .windows = true,
                          .window_period = kPeriod,
                          .even_heads = true,
                          .one_theta = true},
             .local_rope = true},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true,
                         .windows = true,
                         .one_theta = true},
            .fields = kMlxFields},
};

}  // namespace zp
