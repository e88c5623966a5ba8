// Granite 4 h: layers with selective state spaces, some with attention among them, mostly without a
// rotary embedding; an MLP, or experts beside one that all tokens go through. Source: transformers
// models/granitemoehybrid.
#include "base/json.h"
#include "model/architecture.h"
#include "model/granite_parts.h"
#include "model/state_space.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"GraniteMoeHybridForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"GraniteMoeHybridModel"};
constexpr std::string_view kModelTypes[] = {"granitemoehybrid"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// Of training, and of how a sequence is cut where it is computed.
constexpr std::string_view kWithoutInfluence[] = {"init_method",          "logits_to_keep",
                                                  "mamba_chunk_size",     "normalization_function",
                                                  "output_router_logits", "router_aux_loss_coef"};
constexpr FixedField kFixed[] = {
    {"hidden_act", "\"silu\""}, {"mamba_proj_bias", "false"}, {"mlp_bias", "false"}};
constexpr std::string_view kMlxFields[] = {
    "attention_bias",      "attention_multiplier",     "embedding_multiplier",
    "logits_scaling",      "mamba_conv_bias",          "mamba_d_conv",
    "mamba_d_state",       "mamba_n_groups",           "mamba_n_heads",
    "num_experts_per_tok", "num_local_experts",        "residual_multiplier",
    "rms_norm_eps",        "shared_intermediate_size", "tie_word_embeddings",
    "mamba_proj_bias"};
// It has other defaults or words of them.
constexpr std::string_view kMlxRespelled[] = {"intermediate_size", "layer_types", "mamba_d_head",
                                              "position_embedding_type", "time_step_limit"};

constexpr std::array kMlp = {
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "",
              Dim::ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "", Dim::ffn,
              Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.shared_mlp.output_linear",
              "blk.{}.ffn_down", "model.layers.{}.mlp.down_proj", Dim::hidden, Dim::ffn},
};
constexpr std::array kExperts = {
    TensorRow{Role::router, Part::weight, "model.layers.{}.block_sparse_moe.router.layer",
              "blk.{}.ffn_gate_inp", "", Dim::experts, Dim::hidden},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.block_sparse_moe.experts.{}.gate_proj",
              "blk.{}.ffn_gate_exps", "model.layers.{}.block_sparse_moe.switch_mlp.gate_proj",
              Dim::expert_ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.block_sparse_moe.experts.{}.up_proj",
              "blk.{}.ffn_up_exps", "model.layers.{}.block_sparse_moe.switch_mlp.up_proj",
              Dim::expert_ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.block_sparse_moe.experts.{}.down_proj",
              "blk.{}.ffn_down_exps", "model.layers.{}.block_sparse_moe.switch_mlp.down_proj",
              Dim::hidden, Dim::expert_ffn},
    TensorRow{Role::gate, Part::weight, "model.layers.{}.shared_mlp.gate_proj",
              "blk.{}.ffn_gate_shexp", "", Dim::shared_ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.shared_mlp.up_proj", "blk.{}.ffn_up_shexp",
              "", Dim::shared_ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.shared_mlp.output_linear",
              "blk.{}.ffn_down_shexp", "", Dim::hidden, Dim::shared_ffn},
};
constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, state_space::rows(nullptr),
                    usual::kPairedAttention, usual::kFfnNorm, kMlp, kExperts, usual::kHead);
constexpr StackedRow kStacked[] = {
    {"model.layers.{}.block_sparse_moe.input_linear.weight", Part::weight, usual::kGateAndUp},
    {"model.layers.{}.block_sparse_moe.output_linear.weight", Part::weight, usual::kDownAlone},
    {"model.layers.{}.block_sparse_moe.experts.gate_up_proj", Part::weight, usual::kGateAndUp},
    {"model.layers.{}.block_sparse_moe.experts.down_proj", Part::weight, usual::kDownAlone},
    {.hf = "model.layers.{}.shared_mlp.input_linear.weight",
     .part = Part::weight,
     .roles = usual::kGateAndUp,
     .one_mlp = true},
};

constexpr Field kExpertFields[] = {
    {"num_local_experts", "expert_count",
     Count{{member<&Decoder::experts, &Experts::count>.get,
            [](Decoder& d, std::int64_t n) {
              d.experts.count = n;
              d.experts.ffn = n > 0 ? d.ffn : 0;
              d.every.experts = n > 0;
            }},
           whole<kMostExperts>,
           whole<8>,
           0},
     Unsaid::left},
    {"num_experts_per_tok", "expert_used_count",
     Count{member<&Decoder::experts, &Experts::chosen>,
           member<&Decoder::experts, &Experts::count>.get, whole<2>, 0},
     Unsaid::left},
    // Without experts it is the one MLP's.
    {"shared_intermediate_size", "expert_shared_feed_forward_length",
     Count{{[](const Decoder& d) { return d.experts.count > 0 ? d.experts.shared_ffn : d.ffn; },
            [](Decoder& d, std::int64_t n) {
              (d.experts.count > 0 ? d.experts.shared_ffn : d.ffn) = n;
            }},
           whole<kMostFfn>,
           whole<1024>},
     Unsaid::left},
};

bool turns(const Decoder& d) { return !d.has(RopeKind::none); }
void set_turns(Decoder& d, bool turned) {
  set_layers(d, [&](std::int64_t, Layer& layer) {
    layer.rope = turned ? RopeKind::global : RopeKind::none;
  });
}

constexpr auto kFields = usual::table_of(
    usual::kSizes, std::to_array(kExpertFields), state_space::kFields,
    std::array{
        usual::heads(),
        Field{"num_key_value_heads", "attention.head_count_kv", KeyHeads{Mixer::state_space}},
        Field{"", "rope.scaling.finetuned", Flag{{turns, set_turns}}, Unsaid::usual}},
    usual::head_size({.even = true}), usual::rms_epsilon(1e-6), usual::activation(), usual::tied(),
    usual::attention_biases(), granite::kMultipliers);

constexpr const char* kTypes = "layer_types";
constexpr const char* kOlderTypes = "layers_block_type";
constexpr const char* kPositions = "position_embedding_type";

void read_mixers(ConfigReader& fields, Decoder& d) {
  const std::string_view key = fields.either(kTypes, kOlderTypes);
  const std::vector<std::string> types = fields.texts(key);
  if (std::ssize(types) != d.layers)
    fields.refuse(key, "wrong length", "one for each of " + std::to_string(d.layers) + " layers");
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    const std::string& type = types[static_cast<std::size_t>(i)];
    const bool attends = type == "attention" || type == "full_attention";
    if (!attends && type != "mamba" && type != "linear_attention")
      fields.refuse(key, "kind of layer not known", "mamba or attention");
    layer.mixer = attends ? Mixer::attention : Mixer::state_space;
  });
  if (d.attention_layers() == 0 || d.attention_layers() == d.layers)
    fields.refuse(key, "not layers of both kinds", "mamba and attention");
}

void read_more(ConfigReader& fields, Decoder& d) {
  state_space::read(fields, d, d.hidden * fields.count("mamba_expand", kMostHeadDim, 2));
  read_mixers(fields, d);
  const std::string positions = fields.text(kPositions, "nope");
  if (positions != "rope" && positions != "nope")
    fields.refuse(kPositions, "value not supported", "rope or nope");
  set_turns(d, positions == "rope");
}

void write_more(const Decoder& d, Json& config) {
  state_space::write_limits(d, config);
  config["mamba_expand"] = d.space.columns() / d.hidden;
  config["mamba_d_head"] = d.space.head_dim;
  Json types = Json::array();
  for (std::int64_t i = 0; i < d.layers; ++i)
    types.push_back(d.layer(i).mixer == Mixer::attention ? "attention" : "mamba");
  config[kTypes] = std::move(types);
  config[kPositions] = turns(d) ? "rope" : "nope";
  config["mamba_proj_bias"] = false;
}

void fix(Decoder& d) { d.experts.renormalized = true; }

void gguf_graph(Decoder& d) {
  if (d.attention_scale == 0) d.attention_scale = natural_attention_scale(d);
}

constexpr RopeScaling kNoScaling[] = {RopeScaling::none};

}  // namespace

extern constinit const Architecture architecture_granite_hybrid = {
    .name = "granite_hybrid",
    .summary = "Granite 4 with state spaces: Granite 4.0 h",
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
    .stacked = kStacked,
    .only_stacked = true,
    .newer_part = {"router.layer.", "router."},
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "granitehybrid",
             .computes = {.endless_steps = true,
                          .needs_conv_bias = true,
                          .renormalizes_experts = true,
                          .even_heads = true,
                          .attention_scale = nullptr},
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.one_norm_part = true,
                         .no_shared_expert = true,
                         .even_heads = true,
                         .attention_scale = nullptr},
            .fields = kMlxFields,
            .respelled = kMlxRespelled},
};

}  // namespace zp
