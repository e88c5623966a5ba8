// Gemma 4, its text: five layers with a window to one without, where heads have another size, only
// the first of their pairs turn, and values may be keys; norms around attention and MLP that multiply
// by their weight; a factor for each layer's output. The small ones have a table of what each layer
// knows of a token (E2B, E4B) and last layers that read the keys of others; the one with experts has
// them beside an MLP that all tokens go through. Source: transformers models/gemma4. Biases are not
// supported: no published model has them.
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/config_writer.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

// The 12B's text is the others', with no part of a token for each layer and no experts.
constexpr const char* kUnified = "gemma4_unified_text";
constexpr std::string_view kClasses[] = {"Gemma4ForCausalLM", "Gemma4UnifiedForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Gemma4TextModel", "Gemma4UnifiedTextModel"};
constexpr std::string_view kModelTypes[] = {"gemma4_text", kUnified};
constexpr std::string_view kIgnored[] = {"*rotary_emb.*inv_freq"};
constexpr FixedField kFixed[] = {{"attention_bias", "false"}};
// By a tensor that says what each frequency is divided by.
constexpr RopeScaling kGgufScalings[] = {RopeScaling::llama3, RopeScaling::stated};
// What mlx-lm's folders may say besides.
constexpr std::string_view kWithoutInfluence[] = {"rope_theta"};
constexpr std::string_view kMlxFields[] = {"global_head_dim",
                                           "rms_norm_eps",
                                           "vocab_size_per_layer_input",
                                           "num_key_value_heads",
                                           "num_global_key_value_heads",
                                           "num_kv_shared_layers",
                                           "hidden_size_per_layer_input",
                                           "rope_parameters",
                                           "sliding_window",
                                           "attention_k_eq_v",
                                           "final_logit_softcapping",
                                           "use_double_wide_mlp",
                                           "enable_moe_block",
                                           "num_experts",
                                           "top_k_experts",
                                           "moe_intermediate_size",
                                           "layer_types",
                                           "tie_word_embeddings",
                                           "head_dim"};
// Gemma4TextConfig's own defaults, and Gemma4UnifiedTextConfig's.
constexpr std::int64_t kWindow = 512;
constexpr std::int64_t kUnifiedWindow = 1024;
constexpr std::int64_t kPeriod = 6;
constexpr std::int64_t kHeadDim = 256;
constexpr std::int64_t kGlobalHeadDim = 512;
constexpr std::int64_t kLayerColumns = 256;
constexpr std::int64_t kVocabulary = 262'144;
constexpr double kTheta = 1e6;
constexpr double kShare = 0.25;
constexpr double kLocalTheta = 10000;
constexpr const char* kFull = "full_attention";
constexpr const char* kSliding = "sliding_attention";

// ---- tensors

bool has_layer_parts(const Decoder& d) { return d.layer_columns > 0; }
bool has_experts(const Decoder& d) { return d.experts.count > 0; }

constexpr std::array kLayerTable = {
    TensorRow{Role::layer_embedding, Part::weight, "model.embed_tokens_per_layer",
              "per_layer_token_embd", "", Dim::layer_vocabulary, Dim::all_layer_columns,
              has_layer_parts},
    TensorRow{Role::layer_projection, Part::weight, "model.per_layer_model_projection",
              "per_layer_model_proj", "", Dim::all_layer_columns, Dim::hidden, has_layer_parts},
    TensorRow{Role::layer_projection_norm, Part::weight, "model.per_layer_projection_norm",
              "per_layer_proj_norm", "", Dim::one, Dim::layer_columns, has_layer_parts},
};

constexpr TensorRow norm_of(Role role, std::string_view hf, std::string_view gguf) {
  return {role, Part::weight, hf, gguf, "", Dim::one, Dim::hidden, has_experts};
}

constexpr std::array kExperts = {
    TensorRow{Role::gate, Part::weight, "model.layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", "",
              Dim::shared_ffn, Dim::hidden, has_experts},
    TensorRow{Role::up, Part::weight, "model.layers.{}.mlp.up_proj", "blk.{}.ffn_up", "",
              Dim::shared_ffn, Dim::hidden, has_experts},
    TensorRow{Role::down, Part::weight, "model.layers.{}.mlp.down_proj", "blk.{}.ffn_down", "",
              Dim::hidden, Dim::shared_ffn, has_experts},
    norm_of(Role::shared_post_norm, "model.layers.{}.post_feedforward_layernorm_1",
            "blk.{}.post_ffw_norm_1"),
    TensorRow{Role::router_norm, Part::weight, "model.layers.{}.router.scale",
              "blk.{}.ffn_gate_inp.scale", "", Dim::one, Dim::hidden, has_experts, RowOrder::same,
              false, true, true},
    TensorRow{Role::router, Part::weight, "model.layers.{}.router.proj", "blk.{}.ffn_gate_inp", "",
              Dim::experts, Dim::hidden, has_experts},
    norm_of(Role::expert_norm, "model.layers.{}.pre_feedforward_layernorm_2",
            "blk.{}.pre_ffw_norm_2"),
    TensorRow{Role::gate, Part::weight, "model.layers.{}.experts.{}.gate_proj",
              "blk.{}.ffn_gate_exps", "model.layers.{}.experts.switch_glu.gate_proj",
              Dim::expert_ffn, Dim::hidden, has_experts},
    TensorRow{Role::up, Part::weight, "model.layers.{}.experts.{}.up_proj", "blk.{}.ffn_up_exps",
              "model.layers.{}.experts.switch_glu.up_proj", Dim::expert_ffn, Dim::hidden,
              has_experts},
    TensorRow{Role::down, Part::weight, "model.layers.{}.experts.{}.down_proj",
              "blk.{}.ffn_down_exps", "model.layers.{}.experts.switch_glu.down_proj", Dim::hidden,
              Dim::expert_ffn, has_experts},
    TensorRow{Role::expert_scale, Part::weight, "model.layers.{}.router.per_expert_scale",
              "blk.{}.ffn_down_exps.scale", "", Dim::one, Dim::experts, has_experts, RowOrder::same,
              false, true, true},
    norm_of(Role::expert_post_norm, "model.layers.{}.post_feedforward_layernorm_2",
            "blk.{}.post_ffw_norm_2"),
};
constexpr StackedRow kStacked[] = {
    {"model.layers.{}.experts.gate_up_proj", Part::weight, usual::kGateAndUp},
    {"model.layers.{}.experts.down_proj", Part::weight, usual::kDownAlone},
};

constexpr std::array kLayerEnd = {
    TensorRow{Role::layer_gate, Part::weight, "model.layers.{}.per_layer_input_gate",
              "blk.{}.inp_gate", "", Dim::layer_columns, Dim::hidden, has_layer_parts},
    TensorRow{Role::layer_up, Part::weight, "model.layers.{}.per_layer_projection", "blk.{}.proj",
              "", Dim::hidden, Dim::layer_columns, has_layer_parts},
    TensorRow{Role::layer_post_norm, Part::weight, "model.layers.{}.post_per_layer_input_norm",
              "blk.{}.post_norm", "", Dim::one, Dim::hidden, has_layer_parts},
    TensorRow{Role::layer_scale, Part::weight, "model.layers.{}.layer_scalar",
              "blk.{}.layer_output_scale", "", Dim::one, Dim::one, nullptr, RowOrder::same, false,
              true},
};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, kLayerTable, usual::kAttentionNorm, usual::kNormedAttention,
                    usual::kAttentionPostNorm, usual::kPreFfnNorm, usual::kGatedMlp, kExperts,
                    usual::kFfnPostNorm, kLayerEnd, usual::kHead);

// ---- what layers have

// What every Gemma 4 has.
void fix(Decoder& d) {
  d.value_norms = true;
  d.attention_scale = 1;
  d.embedding_scale = std::sqrt(static_cast<double>(d.hidden));
}

/// The last layer always sees everything.
std::int64_t full_layer(const Decoder& d) { return d.layers - 1; }

std::int64_t unless(std::int64_t usual, std::int64_t n) { return n == usual ? 0 : n; }

void set_full(Decoder& d, std::int64_t Layer::*size, std::int64_t value) {
  set_layers(d, [&](std::int64_t, Layer& layer) {
    if (!layer.window) layer.*size = value;
  });
}

std::int64_t shared_layers(const Decoder& d) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < d.layers; ++i) count += d.layer(i).keys_of ? 1 : 0;
  return count;
}

/// The last layers read the keys of the last of their kind that has its own; where there is none a
/// layer keeps its own.
void share_keys(Decoder& d, std::int64_t shared) {
  const std::int64_t own = d.layers - shared;
  const Decoder before = d;
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    if (i < own) return;
    std::int64_t source = own - 1;
    while (source >= 0 && before.layer(source).window.has_value() != layer.window.has_value())
      --source;
    if (source >= 0) layer.keys_of = source;
  });
}

/// In all layers, beside an MLP as wide as the model's others.
void set_experts(Decoder& d) {
  d.experts.renormalized = true;
  d.experts.shared_ffn = d.ffn;
  set_experts(d, [](std::int64_t) { return true; });
}

// ---- fields

constexpr std::array kSizes = {
    usual::vocabulary(whole<kVocabulary>),
    usual::context("max_position_embeddings", {}, whole<131'072>),
    usual::hidden(),
    usual::layers(),
    Field{"intermediate_size", "", Count{member<&Decoder::ffn>, whole<kMostFfn>}},
    usual::heads("num_attention_heads", {}, whole<8>),
    Field{"num_key_value_heads", "",
          Count{member<&Decoder::kv_heads>, whole<kMostHeads>, whole<4>}},
    Field{"head_dim", "", HeadSize{kHeadDim}},
};

// By llama.cpp's keys, those first that others are read by.
constexpr std::array kByLayer = {
    Field{"", "attention.sliding_window_pattern",
          EachLayer{[](const Decoder& d, std::int64_t i) -> std::int64_t {
                      return d.layer(i).window ? 1 : 0;
                    },
                    [](Decoder& d, std::span<const std::int64_t> all) {
                      set_windows(d, kWindow, [&](std::int64_t i) {
                        return all[static_cast<std::size_t>(i)] != 0;
                      });
                    },
                    whole<1>, true}},
    Field{"", "attention.head_count_kv",
          EachLayer{[](const Decoder& d, std::int64_t i) { return d.kv_heads_of(i); },
                    [](Decoder& d, std::span<const std::int64_t> all) {
                      d.kv_heads = all.front();
                      set_layers(d, [&](std::int64_t i, Layer& layer) {
                        layer.kv_heads = unless(d.kv_heads, all[static_cast<std::size_t>(i)]);
                      });
                    },
                    whole<kMostHeads>}},
    Field{"", "feed_forward_length",
          EachLayer{[](const Decoder& d, std::int64_t i) { return d.ffn_of(i); },
                    [](Decoder& d, std::span<const std::int64_t> all) {
                      d.ffn = all.front();
                      set_layers(d, [&](std::int64_t i, Layer& layer) {
                        layer.ffn = unless(d.ffn, all[static_cast<std::size_t>(i)]);
                      });
                    },
                    whole<kMostFfn>}},
    Field{"", "attention.shared_kv_layers",
          Count{{shared_layers, share_keys}, member<&Decoder::layers>.get, nullptr, 0},
          Unsaid::left},
};

constexpr Member<std::int64_t> kGlobalHead = {
    [](const Decoder& d) { return d.head_dim_of(full_layer(d)); },
    [](Decoder& d, std::int64_t n) { set_full(d, &Layer::head_dim, unless(d.head_dim, n)); }};

constexpr std::array kHeadSizes = {
    Field{"", "attention.key_length_swa", Count{member<&Decoder::head_dim>, whole<kMostHeadDim>}},
    Field{"", "attention.value_length_swa",
          Count{member<&Decoder::head_dim>, member<&Decoder::head_dim>.get}},
    Field{"", "attention.key_length", Count{kGlobalHead, whole<kMostHeadDim>}},
    Field{"", kValueLength, Count{kGlobalHead, kGlobalHead.get}},
    Field{"", "rope.dimension_count_swa",
          Count{{member<&Decoder::head_dim>.get,
                 [](Decoder& d, std::int64_t n) { d.local_rope.dims = n; }},
                member<&Decoder::head_dim>.get},
          Unsaid::left},
    Field{"", "embedding_length_per_layer_input",
          Count{member<&Decoder::layer_columns>, whole<kMostHidden>, nullptr, 0}},
};

constexpr std::array kExpertSizes = {
    Field{"", "expert_count",
          Count{member<&Decoder::experts, &Experts::count>, whole<kMostExperts>, nullptr, 0},
          Unsaid::left, "", false, has_experts},
    Field{"", "expert_used_count",
          Count{member<&Decoder::experts, &Experts::chosen>,
                member<&Decoder::experts, &Experts::count>.get, nullptr, 0},
          Unsaid::left, "", false, has_experts},
    Field{"", "expert_feed_forward_length",
          Count{member<&Decoder::experts, &Experts::ffn>, whole<kMostFfn>}, Unsaid::left, "", false,
          has_experts},
};

constexpr usual::OneField kCap = {
    {{"final_logit_softcapping", "final_logit_softcapping",
      Positive{member<&Decoder::logit_soft_cap>, 0}, Unsaid::refused, "", true}}};

constexpr auto kFields = usual::table_of(
    kSizes, kByLayer, kHeadSizes, kExpertSizes, usual::rms_epsilon(1e-6),
    usual::activation("gelu_pytorch_tanh", "hidden_activation"), usual::tied(true), kCap);

// ---- config.json

struct Sizes {
  std::int64_t head_dim;
  std::int64_t kv_heads;
  bool operator==(const Sizes&) const = default;
};

/// What transformers writes: for some layers an object of what they have otherwise.
Sizes read_each(ConfigReader& fields, const Decoder& d) {
  constexpr const char* kEach = "per_layer_config";
  const Json& each = fields.at(kEach);
  if (!each.is_object()) fields.refuse(kEach, "wrong type", "an object for each layer");
  std::vector<Sizes> all(static_cast<std::size_t>(d.layers), Sizes{d.head_dim, d.kv_heads});
  for (const auto& [key, value] : each.items()) {
    std::int64_t layer = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), layer);
    if (error != std::errc() || end != key.data() + key.size() || layer < 0 || layer >= d.layers)
      fields.refuse(kEach, "no layer", "0 to " + std::to_string(d.layers - 1));
    if (d.layer(layer).window)
      fields.refuse(kEach, "value not supported", "layers of full_attention alone");
    ConfigReader inner(value, fields.where() + ": per_layer_config of layer " + key);
    Sizes& sizes = all[static_cast<std::size_t>(layer)];
    sizes.head_dim = inner.count("head_dim", kMostHeadDim, d.head_dim);
    sizes.kv_heads = inner.count("num_key_value_heads", kMostHeads, d.kv_heads);
    inner.finish(d.architecture);
  }
  for (std::int64_t i = 0; i < d.layers; ++i) {
    if (!d.layer(i).window && all[static_cast<std::size_t>(i)] != all.back())
      fields.refuse(kEach, "value not supported", "the same in all layers of full_attention");
  }
  return all.back();
}

/// Of layers that see everything. Needs the windows.
void read_sizes(ConfigReader& fields, Decoder& d, bool values_are_keys) {
  constexpr const char* kHeads = "num_global_key_value_heads";
  Sizes sizes{fields.count("global_head_dim", kMostHeadDim, kGlobalHeadDim), d.kv_heads};
  const std::int64_t stated = fields.count(kHeads, kMostHeads, d.kv_heads);
  if (values_are_keys) sizes.kv_heads = stated;
  if (fields.has("per_layer_config")) sizes = read_each(fields, d);
  if (!values_are_keys && sizes.kv_heads != d.kv_heads)
    fields.refuse("per_layer_config", "value not supported",
                  "heads of keys as in other layers without attention_k_eq_v");
  if (d.heads % sizes.kv_heads != 0)
    fields.refuse(kHeads, "attention heads are no multiple of key-value heads",
                  std::to_string(d.heads));
  for (const std::int64_t dim : {d.head_dim, sizes.head_dim}) {
    if (dim % 2 != 0)
      fields.refuse("head_dim", "value not supported", "an even number in every layer");
  }
  set_full(d, &Layer::head_dim, unless(d.head_dim, sizes.head_dim));
  set_full(d, &Layer::kv_heads, unless(d.kv_heads, sizes.kv_heads));
}

/// Of one kind of layer, whose object of rope_parameters this is.
Rope read_rope_kind(ConfigReader& fields, const Json& parameters, const Decoder& d,
                    const std::string& kind, Rope rope) {
  rope.original_context = d.context;
  if (parameters.is_null()) return rope;
  ConfigReader inner(parameters, fields.where() + ": rope of " + kind);
  const std::string type = inner.text("rope_type", "default");
  const bool proportional = type == "proportional";
  if (!proportional && type != "default")
    inner.refuse("rope_type", "rope type not supported", "default, proportional");
  const double share = inner.positive("partial_rotary_factor", 1);
  if (share > 1 || (!proportional && share != 1))
    inner.refuse("partial_rotary_factor", "value not supported", proportional ? "at most 1" : "1");
  const auto turning = static_cast<std::int64_t>(share * static_cast<double>(rope.dims) / 2);
  rope.still = rope.dims / 2 - turning;
  rope.theta = inner.positive("rope_theta", rope.theta);
  inner.finish(d.architecture);
  return rope;
}

void read_ropes(ConfigReader& fields, Decoder& d) {
  constexpr const char* kRopes = "rope_parameters";
  const Json all = fields.has(kRopes) ? fields.at(kRopes) : Json();
  if (!all.is_null() && !all.is_object()) fields.refuse(kRopes, "wrong type", "an object");
  for (const auto& [key, value] : all.items()) {
    if (key != kFull && key != kSliding) fields.refuse(kRopes, "kind of layer not known");
  }
  const auto read = [&](const char* kind, Rope rope) {
    const Json parameters = all.is_null() ? Json() : Json(all.value(kind, Json()));
    if (!all.is_null() && parameters.is_null()) fields.refuse(kRopes, "missing", kind);
    return read_rope_kind(fields, parameters, d, kind, std::move(rope));
  };
  const std::int64_t dims = d.head_dim_of(full_layer(d));
  const auto turning = static_cast<std::int64_t>(kShare * static_cast<double>(dims) / 2);
  d.rope = read(kFull, {.theta = kTheta, .dims = dims, .still = dims / 2 - turning});
  if (!d.window()) return;
  d.local_rope = read(kSliding, {.theta = kLocalTheta, .dims = d.head_dim});
  set_layers(d, [](std::int64_t, Layer& layer) {
    layer.rope = layer.window ? RopeKind::local : RopeKind::global;
  });
}

void read_shared_keys(ConfigReader& fields, Decoder& d, bool values_are_keys) {
  constexpr const char* kShared = "num_kv_shared_layers";
  const std::int64_t shared = fields.has(kShared) ? fields.integer(kShared, 0, d.layers - 1) : 0;
  share_keys(d, shared);
  if (shared_layers(d) != shared)
    fields.refuse(kShared, "no layer of the kind before them has keys of its own");
  const bool wide = fields.boolean("use_double_wide_mlp", false);
  set_layers(d, [&](std::int64_t, Layer& layer) {
    if (layer.keys_of && wide) layer.ffn = 2 * d.ffn;
    layer.values_are_keys = values_are_keys && !layer.window && !layer.keys_of;
  });
}

bool is_unified(ConfigReader& fields) { return fields.text("model_type", "") == kUnified; }

void read_layer_parts(ConfigReader& fields, Decoder& d) {
  constexpr const char* kColumns = "hidden_size_per_layer_input";
  constexpr const char* kRows = "vocab_size_per_layer_input";
  const std::int64_t rows = fields.count(kRows, kMostVocabulary, kVocabulary);
  d.layer_columns = fields.has(kColumns) ? fields.integer(kColumns, 0, kMostHidden) : kLayerColumns;
  const bool says_none = fields.mentions(kColumns) && !fields.has(kColumns);
  if (says_none || is_unified(fields)) d.layer_columns = 0;
  if (d.layer_columns == 0) return;
  d.layer_vocabulary = rows;
  if (rows < d.vocabulary)
    fields.refuse(kRows, "smaller than the vocabulary", std::to_string(d.vocabulary));
}

void read_experts(ConfigReader& fields, Decoder& d) {
  constexpr const char* kCount = "num_experts";
  constexpr const char* kChosen = "top_k_experts";
  constexpr const char* kWidth = "moe_intermediate_size";
  for (const char* key : {kCount, kChosen, kWidth}) fields.mentions(key);
  if (!fields.boolean("enable_moe_block", false)) return;
  d.experts.count = fields.count(kCount, kMostExperts);
  d.experts.chosen = fields.count(kChosen, d.experts.count);
  d.experts.ffn = fields.count(kWidth, kMostFfn);
  if (shared_layers(d) > 0) fields.refuse(kCount, "experts and shared keys at once");
  set_experts(d);
}

void read_more(ConfigReader& fields, Decoder& d) {
  constexpr const char* kSeen = "use_bidirectional_attention";
  // Images see each other in both directions; text doesn't.
  if (fields.text(kSeen, "vision") != "vision")
    fields.refuse(kSeen, "value not supported", "null or \"vision\"");
  const std::int64_t window = is_unified(fields) ? kUnifiedWindow : kWindow;
  read_layer_types(fields, d, fields.count("sliding_window", kMostContext, window), kPeriod);
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    if (i == full_layer(d)) layer.window.reset();
  });
  const bool values_are_keys = fields.boolean("attention_k_eq_v", false);
  read_sizes(fields, d, values_are_keys);
  read_ropes(fields, d);
  read_shared_keys(fields, d, values_are_keys);
  read_layer_parts(fields, d);
  read_experts(fields, d);
}

Json rope_words(const Rope& rope) {
  Json words = {{"rope_type", "default"}, {"rope_theta", rope.theta}};
  if (rope.still == 0) return words;
  words["rope_type"] = "proportional";
  words["partial_rotary_factor"] =
      1 - 2 * static_cast<double>(rope.still) / static_cast<double>(rope.dims);
  return words;
}

Json or_null(std::int64_t n) { return n == 0 ? Json() : Json(n); }

void write_more(const Decoder& d, Json& config) {
  const std::int64_t full = full_layer(d);
  bool values_are_keys = false;
  for (std::int64_t i = 0; i < d.layers; ++i)
    values_are_keys = values_are_keys || d.layer(i).values_are_keys;
  write_layer_types(d, config);
  config["rope_parameters"] = {{kFull, rope_words(d.rope)}};
  Rope local = d.local_rope;
  if (local.dims == 0) local.theta = kLocalTheta;
  config["rope_parameters"][kSliding] = rope_words(local);
  config["global_head_dim"] = d.head_dim_of(full);
  config["attention_k_eq_v"] = values_are_keys;
  config["num_global_key_value_heads"] = or_null(d.layer(full).kv_heads);
  config["num_kv_shared_layers"] = shared_layers(d);
  config["use_double_wide_mlp"] = d.layer(full).ffn != 0;
  config["hidden_size_per_layer_input"] = d.layer_columns;
  config["vocab_size_per_layer_input"] = d.layer_columns > 0 ? d.layer_vocabulary : d.vocabulary;
  config["enable_moe_block"] = has_experts(d);
  config["num_experts"] = or_null(d.experts.count);
  config["top_k_experts"] = or_null(d.experts.chosen);
  config["moe_intermediate_size"] = or_null(d.experts.ffn);
}

// ---- GGUF

void gguf_graph(Decoder& d) {
  if (has_layer_parts(d)) d.layer_vocabulary = d.vocabulary;
  if (has_experts(d)) set_experts(d);
}

}  // namespace

extern constinit const Architecture architecture_gemma4 = {
    .name = "gemma4",
    .summary = "Gemma 4, text",
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
    .only_stacked = true,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "gemma4",
             .computes = {.activation = Activation::gelu_tanh,
                          .scalings = kGgufScalings,
                          .windows = true,
                          .last_keys = true,
                          .one_vocabulary = true,
                          .needs_window = true,
                          .needs_logit_cap = true,
                          .attention_scale = nullptr},
             .always_window_key = true,
             .always_rope_freqs = true,
             .values_may_be_keys = true,
             .local_rope = true,
             .graph = gguf_graph},
    .mlx = {.model_types = kModelTypes,
            .computes = {.activation = Activation::gelu_tanh,
                         .windows = true,
                         .attention_scale = nullptr},
            .fields = kMlxFields},
};

}  // namespace zp
