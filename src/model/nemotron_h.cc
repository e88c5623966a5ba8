// Nemotron-H, Nemotron Nano 2 and 3: layers that are one thing each, a selective state space,
// attention without a rotary embedding, an MLP, or experts beside an MLP that all tokens go through.
// MLPs have no gate. Experts may read a smaller vector than the hidden state (Nemotron 3 Super). Modules of multi-token
// prediction are left aside. Source: transformers models/nemotron_h.
#include <algorithm>

#include "base/json.h"
#include "model/architecture.h"
#include "model/state_space.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"NemotronHForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"NemotronHModel"};
constexpr std::string_view kModelTypes[] = {"nemotron_h"};
// Of training, of how a sequence is cut where it is computed, of modules that are left aside, and of
// other models' code in these.
constexpr std::string_view kWithoutInfluence[] = {"chunk_size",
                                                  "expand",
                                                  "hidden_dropout",
                                                  "mamba_ssm_cache_dtype",
                                                  "moe_shared_expert_overlap",
                                                  "mtp_hybrid_override_pattern",
                                                  "mtp_layers_block_type",
                                                  "norm_eps",
                                                  "num_logits_to_keep",
                                                  "num_nextn_predict_layers",
                                                  "output_router_logits",
                                                  "partial_rotary_factor",
                                                  "rescale_prenorm_residual",
                                                  "residual_in_fp32",
                                                  "rms_norm_eps",
                                                  "rope_theta",
                                                  "time_step_floor",
                                                  "time_step_max",
                                                  "time_step_min",
                                                  "time_step_rank",
                                                  "use_mamba_kernels"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"},  {"mamba_hidden_act", "\"silu\""},
                                 {"mamba_proj_bias", "false"}, {"mlp_bias", "false"},
                                 {"n_shared_experts", "1"},    {"sliding_window", "null"},
                                 {"use_bias", "false"}};
constexpr std::string_view kMlxFields[] = {"attention_bias",
                                           "conv_kernel",
                                           "head_dim",
                                           "hybrid_override_pattern",
                                           "intermediate_size",
                                           "layer_norm_epsilon",
                                           "mamba_head_dim",
                                           "mamba_num_heads",
                                           "mamba_proj_bias",
                                           "mlp_bias",
                                           "moe_intermediate_size",
                                           "moe_latent_size",
                                           "moe_shared_expert_intermediate_size",
                                           "n_group",
                                           "n_groups",
                                           "n_routed_experts",
                                           "n_shared_experts",
                                           "norm_topk_prob",
                                           "num_experts_per_tok",
                                           "routed_scaling_factor",
                                           "ssm_state_size",
                                           "topk_group",
                                           "use_bias",
                                           "use_conv_bias"};
// It has other words of it.
constexpr std::string_view kMlxRespelled[] = {"time_step_limit"};

bool has_experts(const Decoder& d) { return d.experts.count > 0; }
bool has_narrow_experts(const Decoder& d) { return d.experts.width > 0; }

constexpr std::array kTable = {
    TensorRow{Role::embedding, Part::weight, "backbone.embeddings", "token_embd", "",
              Dim::vocabulary, Dim::hidden},
    TensorRow{Role::attention_norm, Part::weight, "backbone.layers.{}.norm", "blk.{}.attn_norm", "",
              Dim::one, Dim::hidden},
    TensorRow{Role::ffn_norm, Part::weight, "backbone.layers.{}.norm", "blk.{}.attn_norm", "",
              Dim::one, Dim::hidden},
    TensorRow{Role::space_in, Part::weight, "backbone.layers.{}.mixer.in_proj", "blk.{}.ssm_in", "",
              Dim::space_in, Dim::hidden},
    TensorRow{Role::convolution, Part::weight, "backbone.layers.{}.mixer.conv1d",
              "blk.{}.ssm_conv1d", "", Dim::space_convolved, Dim::convolution},
    TensorRow{Role::convolution, Part::bias, "backbone.layers.{}.mixer.conv1d", "blk.{}.ssm_conv1d",
              "", Dim::one, Dim::space_convolved, state_space::conv_bias},
    TensorRow{Role::space_step_bias, Part::bias, "backbone.layers.{}.mixer.dt_bias",
              "blk.{}.ssm_dt", "", Dim::one, Dim::space_heads, nullptr, RowOrder::same, false,
              true},
    TensorRow{Role::space_rate, Part::weight, "backbone.layers.{}.mixer.A_log", "blk.{}.ssm_a", "",
              Dim::one, Dim::space_heads, nullptr, RowOrder::same, false, true, true},
    TensorRow{Role::space_skip, Part::weight, "backbone.layers.{}.mixer.D", "blk.{}.ssm_d", "",
              Dim::one, Dim::space_heads, nullptr, RowOrder::same, false, true, true},
    TensorRow{Role::space_norm, Part::weight, "backbone.layers.{}.mixer.norm", "blk.{}.ssm_norm",
              "", Dim::one, Dim::space},
    TensorRow{Role::space_out, Part::weight, "backbone.layers.{}.mixer.out_proj", "blk.{}.ssm_out",
              "", Dim::hidden, Dim::space},
    TensorRow{Role::query, Part::weight, "backbone.layers.{}.mixer.q_proj", "blk.{}.attn_q", "",
              Dim::query, Dim::hidden},
    TensorRow{Role::key, Part::weight, "backbone.layers.{}.mixer.k_proj", "blk.{}.attn_k", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::value, Part::weight, "backbone.layers.{}.mixer.v_proj", "blk.{}.attn_v", "",
              Dim::key, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "backbone.layers.{}.mixer.o_proj",
              "blk.{}.attn_output", "", Dim::hidden, Dim::query},
    TensorRow{Role::up, Part::weight, "backbone.layers.{}.mixer.up_proj", "blk.{}.ffn_up", "",
              Dim::ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "backbone.layers.{}.mixer.down_proj", "blk.{}.ffn_down", "",
              Dim::hidden, Dim::ffn},
    TensorRow{Role::router, Part::weight, "backbone.layers.{}.mixer.gate", "blk.{}.ffn_gate_inp",
              "", Dim::experts, Dim::hidden, has_experts},
    TensorRow{Role::router_correction, Part::bias,
              "backbone.layers.{}.mixer.gate.e_score_correction_bias", "blk.{}.exp_probs_b", "",
              Dim::one, Dim::experts, has_experts, RowOrder::same, false, true},
    TensorRow{Role::expert_in, Part::weight, "backbone.layers.{}.mixer.fc1_latent_proj",
              "blk.{}.ffn_latent_down", "", Dim::expert_width, Dim::hidden, has_narrow_experts},
    TensorRow{Role::up, Part::weight, "backbone.layers.{}.mixer.experts.{}.up_proj",
              "blk.{}.ffn_up_exps", "backbone.layers.{}.mixer.switch_mlp.fc1", Dim::expert_ffn,
              Dim::expert_width, has_experts},
    TensorRow{Role::down, Part::weight, "backbone.layers.{}.mixer.experts.{}.down_proj",
              "blk.{}.ffn_down_exps", "backbone.layers.{}.mixer.switch_mlp.fc2", Dim::expert_width,
              Dim::expert_ffn, has_experts},
    TensorRow{Role::expert_out, Part::weight, "backbone.layers.{}.mixer.fc2_latent_proj",
              "blk.{}.ffn_latent_up", "", Dim::hidden, Dim::expert_width, has_narrow_experts},
    TensorRow{Role::up, Part::weight, "backbone.layers.{}.mixer.shared_experts.up_proj",
              "blk.{}.ffn_up_shexp", "", Dim::shared_ffn, Dim::hidden, has_experts},
    TensorRow{Role::down, Part::weight, "backbone.layers.{}.mixer.shared_experts.down_proj",
              "blk.{}.ffn_down_shexp", "", Dim::hidden, Dim::shared_ffn, has_experts},
    TensorRow{Role::output_norm, Part::weight, "backbone.norm_f", "output_norm", "", Dim::one,
              Dim::hidden},
    TensorRow{Role::head, Part::weight, "lm_head", "output", "", Dim::vocabulary, Dim::hidden,
              usual::untied},
};
constexpr Role kUpAlone[] = {Role::up};
constexpr StackedRow kStacked[] = {
    {"backbone.layers.{}.mixer.experts.up_proj", Part::weight, kUpAlone},
    {"backbone.layers.{}.mixer.experts.down_proj", Part::weight, usual::kDownAlone},
};

// GGUF: a layer has attention where it has heads of keys, a feed-forward part where that has a width,
// else a state space.
std::int64_t width(const Decoder& d, std::int64_t i) {
  const Layer& layer = d.layer(i);
  return !layer.feeds ? 0 : layer.experts ? d.experts.ffn : d.ffn;
}
void set_widths(Decoder& d, std::span<const std::int64_t> all) {
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    layer.feeds = all[static_cast<std::size_t>(i)] > 0;
    layer.experts = layer.feeds && has_experts(d);
    if (layer.feeds) layer.mixer = Mixer::none;
  });
  d.ffn = std::ranges::max(all);
}

constexpr Field of_narrow_experts(Field field) {
  field.gguf_when = has_narrow_experts;
  return field;
}
constexpr Field of_experts(Field field) {
  field.gguf_when = has_experts;
  return field;
}
// Also of models without experts, of which config.json may say some all the same.
constexpr std::array kSizes = {
    Field{"num_hidden_layers", "block_count",
          Count{member<&Decoder::layers>, whole<kMostLayers>, whole<1>}},
    Field{"intermediate_size", "", Count{member<&Decoder::ffn>, whole<kMostFfn>, whole<21504>}},
    of_experts({"n_routed_experts", "expert_count",
                Count{member<&Decoder::experts, &Experts::count>, whole<kMostExperts>, whole<8>, 0},
                Unsaid::left, "num_local_experts"}),
    of_experts({"num_experts_per_tok", "expert_used_count",
                Count{member<&Decoder::experts, &Experts::chosen>,
                      member<&Decoder::experts, &Experts::count>.get, whole<2>, 0},
                Unsaid::left}),
    of_experts({"moe_intermediate_size", "expert_feed_forward_length",
                Count{member<&Decoder::experts, &Experts::ffn>, whole<kMostFfn>, whole<7688>, 0},
                Unsaid::left}),
    of_narrow_experts(
        {"moe_latent_size", "moe_latent_size",
         Count{member<&Decoder::experts, &Experts::width>, whole<kMostHidden>, whole<0>, 0},
         Unsaid::left}),
    of_experts(
        {"moe_shared_expert_intermediate_size", "expert_shared_feed_forward_length",
         Count{member<&Decoder::experts, &Experts::shared_ffn>, whole<kMostFfn>, whole<7688>, 0},
         Unsaid::left}),
    of_experts({"", "expert_shared_count", Only{1, "1"}, Unsaid::left}),
    of_experts(usual::kSigmoid.front()),
    of_experts(usual::kExpertScale.front()),
    of_experts(usual::renormalized("expert_weights_norm", true).front()),
};
constexpr std::array kHeads = {
    usual::heads(),
    Field{"num_key_value_heads", "attention.head_count_kv", KeyHeads{Mixer::state_space}},
    Field{"", "feed_forward_length", EachLayer{width, set_widths, whole<kMostFfn>, false, 0}},
    Field{"head_dim", "attention.key_length", HeadSize{128}, Unsaid::refused, "attention_head_dim"},
    Field{"layer_norm_epsilon", "attention.layer_norm_rms_epsilon",
          Positive{member<&Decoder::norm_epsilon>, 1e-5}},
    Field{"", "attention.layer_norm_epsilon", Positive{member<&Decoder::norm_epsilon>, 1e-5},
          Unsaid::left},
};
constexpr auto kFields =
    usual::table_of(std::array{usual::vocabulary(), usual::context(), usual::hidden()}, kSizes,
                    usual::kExpertGroups,
                    state_space::fields("conv_kernel", "ssm_state_size", "n_groups",
                                        "mamba_num_heads", "use_conv_bias"),
                    kHeads, usual::activation("relu2", "mlp_hidden_act"), usual::tied());

constexpr const char* kPattern = "hybrid_override_pattern";
constexpr const char* kTypes = "layers_block_type";
constexpr const char* kNewerTypes = "layer_types";
constexpr const char* kHeadSize = "mamba_head_dim";

struct Kind {
  char letter;
  std::string_view name;
  std::string_view older;
};
constexpr Kind kKinds[] = {{'M', "linear_attention", "mamba"},
                           {'*', "full_attention", "attention"},
                           {'-', "mlp", "mlp"},
                           {'E', "moe", "moe"}};

/// A letter for each layer.
std::string read_pattern(ConfigReader& fields) {
  const std::string_view key = fields.either(kNewerTypes, kTypes);
  if (!fields.has(key)) {
    std::string pattern = fields.text(kPattern, "");
    if (pattern.empty() || pattern.find_first_not_of("M*-E") != pattern.npos)
      fields.refuse(kPattern, "kind of layer not known", "M, *, - or E for each layer");
    return pattern;
  }
  fields.has(kPattern);  // transformers looks at the list alone
  std::string pattern;
  for (const std::string& type : fields.texts(key)) {
    const Kind* kind = std::ranges::find_if(
        kKinds, [&](const Kind& k) { return k.name == type || k.older == type; });
    if (kind == std::end(kKinds))
      fields.refuse(key, "kind of layer not known", "mamba, attention, mlp or moe");
    pattern += kind->letter;
  }
  return pattern;
}

void read_kinds(ConfigReader& fields, Decoder& d) {
  const std::string pattern = read_pattern(fields);
  if (pattern.empty() || std::ssize(pattern) > kMostLayers)
    fields.refuse(kPattern, "no layers, or too many");
  if (fields.has("num_hidden_layers") && d.layers != std::ssize(pattern))
    fields.refuse("num_hidden_layers", "differs from the kinds of layers that are stated",
                  std::to_string(pattern.size()));
  d.layers = std::ssize(pattern);
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    const char kind = pattern[static_cast<std::size_t>(i)];
    layer.feeds = kind == '-' || kind == 'E';
    layer.experts = kind == 'E';
    layer.mixer = kind == 'M' ? Mixer::state_space : kind == '*' ? Mixer::attention : Mixer::none;
  });
  if (pattern.find('E') == pattern.npos) d.experts = {.routing = Routing::sigmoid};
}

void read_more(ConfigReader& fields, Decoder& d) {
  StateSpace& space = d.space;
  space.head_dim = fields.count(kHeadSize, kMostHeadDim, 64);
  if (space.heads % space.groups != 0)
    fields.refuse("n_groups", "doesn't divide \"mamba_num_heads\"",
                  "a divisor of " + std::to_string(space.heads));
  state_space::read_limits(fields, space);
  read_kinds(fields, d);
  const Experts& e = d.experts;
  if (has_experts(d) && (e.chosen == 0 || e.ffn == 0 || e.shared_ffn == 0))
    fields.refuse("n_routed_experts", "experts without sizes or a number that is chosen");
  if (e.count % e.groups != 0 || (e.groups > 1 && e.count / e.groups < 2))
    fields.refuse("n_group", "doesn't part the experts into groups to choose from");
  if (e.count / e.groups * e.used_groups < e.chosen)
    fields.refuse("topk_group", "groups too small for the experts that are chosen");
  if (e.used_groups == e.groups) d.experts.groups = d.experts.used_groups = 1;
}

void write_more(const Decoder& d, Json& config) {
  state_space::write_limits(d, config);
  config[kHeadSize] = d.space.head_dim;
  std::string pattern;
  for (std::int64_t i = 0; i < d.layers; ++i) {
    const Layer& layer = d.layer(i);
    pattern += layer.experts ? 'E' : layer.feeds ? '-' : layer.attends() ? '*' : 'M';
  }
  config[kPattern] = pattern;
  config["n_shared_experts"] = 1;
  if (!has_narrow_experts(d)) config.erase("moe_latent_size");  // 0 would be a size to transformers
  // Of no experts there are no groups, not one.
  for (const char* key : {"n_group", "topk_group"}) {
    if (!has_experts(d)) config.erase(key);
  }
  for (const char* key : {"attention_bias", "mamba_proj_bias", "mlp_bias", "use_bias"})
    config[key] = false;
}

void fix(Decoder& d) {
  d.gated = false;
  d.experts.routing = Routing::sigmoid;
  set_layers(d, [](std::int64_t, Layer& layer) { layer.rope = RopeKind::none; });
}

}  // namespace

extern constinit const Architecture architecture_nemotron_h = {
    .name = "nemotron_h",
    .summary = "Nemotron-H, Nemotron Nano 2 and 3, Nemotron 3 Super",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_more, write_more},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .stacked = kStacked,
    .newer_part = {"backbone.", "model."},
    .optional_prefix = "backbone.",
    .ignored = {},
    .gguf = {.name = "nemotron_h",
             .of_experts = "nemotron_h_moe",
             .computes = {.activation = Activation::squared_relu,
                          .endless_steps = true,
                          .needs_conv_bias = true,
                          .experts_alone = true}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.activation = Activation::squared_relu,
                         .untied = true,
                         .zeroes_groups = true},
            .fields = kMlxFields,
            .respelled = kMlxRespelled},
};

}  // namespace zp
