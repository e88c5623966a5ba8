// Falcon-H1: attention and a selective state space side by side in every layer, then an MLP. What its
// config.json multiplies inputs and outputs of linears by is multiplied into their weights, as
// llama.cpp and mlx-lm have them. Source: transformers models/falcon_h1.
#include "base/json.h"
#include "model/architecture.h"
#include "model/state_space.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"FalconH1ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"FalconH1Model"};
constexpr std::string_view kModelTypes[] = {"falcon_h1"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq", "*mamba.mup_vector"};
// Of training, of how a sequence is cut where it is computed, and sizes that follow from others.
constexpr std::string_view kWithoutInfluence[] = {
    "mamba_chunk_size",   "mamba_expand", "mamba_norm_before_gate", "mlp_expansion_factor",
    "num_logits_to_keep", "layer_types",  "layers_block_type"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"},
                                 {"mamba_proj_bias", "false"},
                                 {"mamba_use_mlp", "true"},
                                 {"mlp_bias", "false"},
                                 {"projectors_bias", "false"}};
constexpr std::string_view kMlxFields[] = {
    "hidden_size",         "intermediate_size", "mamba_conv_bias",   "mamba_d_conv",
    "mamba_d_head",        "mamba_d_ssm",       "mamba_d_state",     "mamba_n_groups",
    "mamba_n_heads",       "mamba_rms_norm",    "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "rms_norm_eps",      "rope_theta",        "tie_word_embeddings",
    "vocab_size"};
// It has other defaults of them, and norms behind gates alone.
constexpr std::string_view kMlxRespelled[] = {"mamba_d_head", "mamba_d_ssm",
                                              "mamba_norm_before_gate"};

constexpr const char* kNormBeforeGate = "mamba_norm_before_gate";
constexpr const char* kColumns = "mamba_d_ssm";
constexpr std::string_view kOnes[] = {
    "attention_in_multiplier", "attention_out_multiplier", "embedding_multiplier", "key_multiplier",
    "lm_head_multiplier",      "ssm_in_multiplier",        "ssm_out_multiplier"};
constexpr const char* kOfMlp = "mlp_multipliers";
constexpr const char* kOfSpace = "ssm_multipliers";
constexpr std::string_view kMultiplied[] = {
    "attention_in_multiplier", "attention_out_multiplier", "embedding_multiplier",
    "key_multiplier",          "lm_head_multiplier",       "mlp_multipliers",
    "ssm_in_multiplier",       "ssm_multipliers",          "ssm_out_multiplier"};

constexpr std::array kMlp = {
    TensorRow{Role::ffn_norm, Part::weight, "model.layers.{}.pre_ff_layernorm", "blk.{}.ffn_norm",
              "", Dim::one, Dim::hidden, nullptr, RowOrder::same, false, false, true},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.feed_forward.gate_proj", "blk.{}.ffn_gate",
              "", Dim::ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.feed_forward.up_proj", "blk.{}.ffn_up", "",
              Dim::ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.feed_forward.down_proj", "blk.{}.ffn_down",
              "", Dim::hidden, Dim::ffn},
};
constexpr std::array kHead = {
    TensorRow{Role::output_norm, Part::weight, "model.final_layernorm", "output_norm", "", Dim::one,
              Dim::hidden},
    TensorRow{Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden,
              usual::untied},
};
constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm,
                    state_space::rows(state_space::normed), usual::kAttention, kMlp, kHead);

constexpr auto kFields = usual::table_of(
    usual::kSizes, state_space::kFields,
    std::array{Field{"mamba_rms_norm", "", Flag{member<&Decoder::space, &StateSpace::normed>}}},
    usual::kHeads, usual::head_size(), usual::rms_epsilon(1e-5), usual::activation(),
    usual::tied());

std::vector<double> multipliers(ConfigReader& fields, const char* key, std::size_t count) {
  if (!fields.has(key)) return std::vector<double>(count, 1);
  const Json& said = fields.at(key);
  std::vector<double> all;
  if (said.is_array() && said.size() == count) {
    for (const Json& x : said) {
      if (x.is_number() && x.get<double>() > 0) all.push_back(x.get<double>());
    }
  }
  if (all.size() != count)
    fields.refuse(key, "value not supported", std::to_string(count) + " numbers above 0");
  return all;
}

void read_multipliers(ConfigReader& fields, Decoder& d) {
  const auto one = [&](const char* key) { return fields.positive(key, 1); };
  const double in = one("attention_in_multiplier");
  const std::vector<double> mlp = multipliers(fields, kOfMlp, 2);
  d.factors = {{Role::embedding, one("embedding_multiplier")},
               {Role::head, one("lm_head_multiplier")},
               {Role::query, in},
               {Role::key, in * one("key_multiplier")},
               {Role::value, in},
               {Role::attention_output, one("attention_out_multiplier")},
               {Role::space_out, one("ssm_out_multiplier")},
               {Role::gate, mlp[0]},
               {Role::down, mlp[1]}};
  const double space_in = one("ssm_in_multiplier");
  const std::int64_t state = d.space.groups * d.space.state;
  const std::int64_t parts[] = {d.space.columns(), d.space.columns(), state, state, d.space.heads};
  std::int64_t begin = 0;
  std::size_t part = 0;
  for (const double multiplier : multipliers(fields, kOfSpace, std::size(parts))) {
    d.factors.push_back({Role::space_in, space_in * multiplier, begin, parts[part]});
    begin += parts[part++];
  }
}

void read_more(ConfigReader& fields, Decoder& d) {
  const bool expanded = fields.mentions(kColumns) && !fields.has(kColumns);
  state_space::read(fields, d,
                    expanded ? d.hidden * fields.count("mamba_expand", kMostHeadDim, 2)
                             : fields.count(kColumns, kMostHeads * kMostHeadDim, 1024));
  if (d.space.normed && fields.boolean(kNormBeforeGate, true))
    fields.refuse(kNormBeforeGate, "value not supported", "false");
  read_multipliers(fields, d);
}

void write_more(const Decoder& d, Json& config) {
  state_space::write_limits(d, config);
  config[kColumns] = d.space.columns();
  config["mamba_d_head"] = d.space.head_dim;
  config[kNormBeforeGate] = false;
  for (const std::string_view name : kOnes) config[name] = 1.0;
  config[kOfMlp] = {1.0, 1.0};
  config[kOfSpace] = {1.0, 1.0, 1.0, 1.0, 1.0};
}

void fix(Decoder& d) { d.every.mixer = Mixer::attention_and_space; }

constexpr RopeScaling kNoScaling[] = {RopeScaling::none};

}  // namespace

extern constinit const Architecture architecture_falcon_h1 = {
    .name = "falcon_h1",
    .summary = "Falcon-H1",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_more, write_more},
    .rope = RopeRules{.scalings = kNoScaling},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .multiplied = kMultiplied,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "falcon-h1", .computes = {.endless_steps = true, .needs_conv_bias = true}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.endless_steps = true, .one_norm_part = true},
            .fields = kMlxFields,
            .respelled = kMlxRespelled},
};

}  // namespace zp
