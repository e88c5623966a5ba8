#include "source/gguf_decoder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/gguf_rows.h"
#include "source/gguf_fields.h"
#include "source/unread_files.h"

namespace zp {
namespace {

/// nullptr when the table has no such row.
const TensorRow* find_row(const Architecture& architecture, Role role, Part part) {
  const auto& table = architecture.table;
  const auto row = std::find_if(table.begin(), table.end(), [&](const TensorRow& r) {
    return r.role == role && r.part == part;
  });
  return row == table.end() ? nullptr : &*row;
}

const Tensor* find_tensor(const Checkpoint& checkpoint, const TensorRow& row,
                          std::int64_t layer = 0) {
  std::string name(row.gguf);
  if (const auto at = name.find("{}"); at != name.npos) name.replace(at, 2, std::to_string(layer));
  return checkpoint.find(name + (row.part == Part::weight ? ".weight" : ".bias"));
}

/// Whether the architecture leaves it to the model.
bool is_optional(const Architecture& architecture, Role role, Part part) {
  const TensorRow* row = find_row(architecture, role, part);
  return row != nullptr && row->when != nullptr;
}

/// Whether the file has a tensor, in any layer, that the architecture leaves to the model.
bool has_optional(const Architecture& architecture, const Checkpoint& checkpoint,
                  std::int64_t layers, Role role, Part part) {
  if (!is_optional(architecture, role, part)) return false;
  const TensorRow* row = find_row(architecture, role, part);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    if (find_tensor(checkpoint, *row, layer) != nullptr) return true;
  }
  return false;
}

/// Where a layer has no values of its own they are its keys.
void find_values(const Architecture& architecture, const Checkpoint& checkpoint, Decoder& d) {
  const TensorRow& row = *find_row(architecture, Role::value, Part::weight);
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    layer.values_are_keys = !layer.keys_of && find_tensor(checkpoint, row, i) == nullptr;
  });
}

std::int64_t embedding_rows(const Architecture& architecture, const Checkpoint& checkpoint,
                            const std::string& where, std::int64_t stated) {
  const TensorRow* row = find_row(architecture, Role::embedding, Part::weight);
  const Tensor* tensor = row == nullptr ? nullptr : find_tensor(checkpoint, *row);
  // The tensor is the truth: fine-tunes that add tokens forget the key.
  const std::int64_t rows = tensor == nullptr ? stated : tensor->shape.front();
  if (rows < 1 || rows > kMostVocabulary) {
    throw Error(where, "no vocabulary",
                "1 to " + std::to_string(kMostVocabulary) + " rows of the embedding",
                std::to_string(rows));
  }
  return rows;
}

/// Reads the field of that key.
struct Reading {
  GgufFields& fields;
  Decoder& d;
  std::string_view key;
  Unsaid unsaid;

  /// Whether the key needn't be there and isn't.
  bool left() const { return unsaid != Unsaid::refused && !fields.has(key); }
  bool usual() const { return unsaid == Unsaid::usual; }

  void operator()(const Count& count) const {
    if (!left()) {
      count.member.set(d, fields.integer(key, count.least, count.most(d)));
    } else if (usual()) {
      count.member.set(d, count.otherwise(d));
    }
  }
  void operator()(const Positive& positive) const {
    if (!left()) {
      positive.member.set(d, fields.positive(key));
    } else if (usual()) {
      positive.member.set(d, positive.otherwise.value());
    }
  }
  void operator()(const Flag& flag) const {
    const bool otherwise = usual() ? flag.otherwise : flag.member.get(d);
    flag.member.set(d, fields.boolean(key, otherwise));
  }
  void operator()(const ActivationWord&) const {}
  void operator()(const HeadSize&) const { read_head_size(); }
  void operator()(const LatentHeads&) const { read_latent_heads(); }
  void operator()(const KeyHeads& heads) const { read_key_heads(heads.other); }
  void operator()(const EachLayer& each) const {
    if (left()) return;
    std::vector<std::int64_t> all;
    if (each.flags) {
      const std::vector<bool>* flags = fields.booleans(key);
      if (flags == nullptr || std::ssize(*flags) != d.layers)
        fields.refuse(key, "wrong type or length",
                      fmt::format("a boolean for each of {} layers", d.layers));
      all.assign(flags->begin(), flags->end());
    } else {
      all = fields.by_layer(key, each.most(d), d.layers);
      if (std::ranges::min(all) < each.least)
        fields.refuse(key, "out of range", fmt::format("{} to {}", each.least, each.most(d)), "0");
    }
    each.set(d, all);
  }
  void operator()(const RopeSections&) const { fields.integers(key); }
  void operator()(const Only& only) const {
    if (!left() && fields.integer(key, 0, INT32_MAX) != only.value)
      fields.refuse(key, "value not supported", std::string(only.expected));
  }

 private:
  void read_key_heads(Mixer other) const {
    const std::vector<std::int64_t> heads = fields.by_layer(key, kMostHeads, d.layers);
    d.kv_heads = std::ranges::max(heads);
    const auto fits = [&](std::int64_t n) { return n == 0 || n == d.kv_heads; };
    if (d.kv_heads == 0 || !std::ranges::all_of(heads, fits)) {
      fields.refuse(key, "value not supported", "in every layer 0 or one other number",
                    fmt::format("{}", fmt::join(heads, ", ")));
    }
    set_layers(d, [&](std::int64_t i, Layer& layer) {
      if (heads[static_cast<std::size_t>(i)] == 0) layer.mixer = other;
    });
  }

  void read_latent_heads() const {
    const std::int64_t rotated = fields.count("rope.dimension_count", kMostHeadDim);
    d.rope.dims = rotated;
    constexpr const char* kKeyLength = "attention.key_length_mla";
    if (!fields.has(kKeyLength)) {
      d.head_dim = fields.integer(key, rotated + 1, kMostHeadDim);
      d.value_dim = fields.count(kValueLength, kMostHeadDim);
      return;
    }
    // What heads read is the latent vector itself then, of which there is one; of their own sizes these speak:
    d.head_dim = fields.integer(kKeyLength, rotated + 1, kMostHeadDim);
    d.value_dim = fields.count("attention.value_length_mla", kMostHeadDim);
    d.kv_heads = d.heads;
    fields.integer(key, d.latent.rank + rotated, d.latent.rank + rotated);
    fields.integer(kValueLength, d.latent.rank, d.latent.rank);
  }

  void read_head_size() const {
    if (d.heads % d.kv_heads != 0) {
      fields.refuse("attention.head_count_kv", "doesn't divide the attention heads",
                    std::to_string(d.heads), std::to_string(d.kv_heads));
    }
    if (!fields.has(key) && d.hidden % d.heads != 0) {
      fields.refuse("embedding_length", "no multiple of the attention heads",
                    std::to_string(d.heads), std::to_string(d.hidden));
    }
    d.head_dim = fields.count(key, kMostHeadDim, d.hidden / d.heads);
    if (d.head_dim < 1 || d.head_dim > kMostHeadDim) {
      fields.refuse("embedding_length", "heads too large or empty", {}, std::to_string(d.head_dim));
    }
    const std::int64_t value = fields.count(kValueLength, kMostHeadDim, d.head_dim);
    if (value != d.head_dim) {
      fields.refuse(kValueLength, "differs from the keys' length", std::to_string(d.head_dim),
                    std::to_string(value));
    }
  }
};

// Those beyond the last are counted, too.
void leave_layers_beyond(GgufFields& fields, Decoder& d) {
  constexpr const char* kBeyond = "nextn_predict_layers";
  const std::int64_t beyond = fields.integer(kBeyond, 0, kMostLayers, 0);
  if (beyond >= d.layers) fields.refuse(kBeyond, "as many as all layers");
  d.layers -= beyond;
  set_layers(d, [](std::int64_t, const Layer&) {});
}

std::vector<float> divisors(const Tensor& tensor, const Decoder& d, const std::string& where) {
  const std::string place = where + ": tensor \"" + tensor.name + "\"";
  const std::int64_t pairs = d.rope.dims / 2;
  if (tensor.rows == nullptr || tensor.shape != std::vector<std::int64_t>{pairs}) {
    throw Error(place, "wrong shape or type", std::to_string(pairs) + " numbers");
  }
  std::vector<float> values(static_cast<std::size_t>(pairs));
  tensor.rows->read(0, 1, values.data());
  for (const float v : values) {
    if (!std::isfinite(v) || !(v > 0)) throw Error(place, "out of range", "numbers above 0");
  }
  return values;
}

void read_yarn(GgufFields& fields, bool sharpens, Rope& rope) {
  rope.scaling = RopeScaling::yarn;
  rope.factor = fields.positive("rope.scaling.factor");
  rope.beta_fast = fields.positive("rope.scaling.yarn_beta_fast", rope.beta_fast);
  rope.beta_slow = fields.positive("rope.scaling.yarn_beta_slow", rope.beta_slow);
  const double natural = rope.factor <= 1 ? 1.0 : 0.1 * std::log(rope.factor) + 1.0;
  rope.attention_factor = natural * fields.positive("rope.scaling.attn_factor", 1);
  constexpr const char* kMscale = "rope.scaling.yarn_log_multiplier";
  // Said of latent attention alone: a tenth of it, and cos and sin stay as they are.
  if (sharpens) {
    rope.sharpening = fields.has(kMscale) ? 10 * fields.positive(kMscale) : 0;
    rope.attention_factor = fields.positive("rope.scaling.attn_factor", 1);
    return;
  }
  if (fields.has(kMscale) && rope.factor > 1)
    rope.attention_factor /= 0.1 * fields.positive(kMscale) * std::log(rope.factor) + 1;
}

void read_linear(GgufFields& fields, Rope& rope) {
  const char* key = fields.has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  rope.factor = fields.positive(key, 1);
  if (rope.factor != 1) rope.scaling = RopeScaling::linear;
}

// The factors are tensors; which of them hold is a matter of the context.
void read_factors(GgufFields& fields, const Checkpoint& checkpoint, Decoder& d) {
  Rope& rope = d.rope;
  const Tensor* stated = checkpoint.find(kRopeFreqs);
  const Tensor* longer = checkpoint.find(kRopeLong);
  const Tensor* shorter = checkpoint.find(kRopeShort);
  if ((longer == nullptr) != (shorter == nullptr) || (stated != nullptr && longer != nullptr)) {
    throw Error(fields.where(), "rope factors don't belong together",
                "rope_freqs, or rope_factors_long and rope_factors_short");
  }
  if (longer != nullptr) {
    rope.scaling = RopeScaling::longrope;
    rope.long_factor = divisors(*longer, d, fields.where());
    rope.short_factor = divisors(*shorter, d, fields.where());
    rope.factor = static_cast<double>(d.context) / static_cast<double>(rope.original_context);
    rope.attention_factor = fields.positive("rope.scaling.attn_factor", 1);
  } else if (stated != nullptr) {
    std::vector<float> all = divisors(*stated, d, fields.where());
    rope.still = std::ranges::count_if(all, [](float x) { return x >= kStill; });
    if (all == gguf_rope_tensors(rope, true).front().divisors) return;
    rope.still = 0;
    rope.scaling = RopeScaling::stated;
    rope.divisors = std::move(all);
  }
}

void read_scaling(GgufFields& fields, const Checkpoint& checkpoint, bool factors, Decoder& d) {
  constexpr const char* kType = "rope.scaling.type";
  Rope& rope = d.rope;
  rope.original_context =
      fields.count("rope.scaling.original_context_length", kMostContext, d.context);
  fields.has("rope.scaling.finetuned");  // provenance, but where it is a field
  if (factors) read_factors(fields, checkpoint, d);
  const bool by_tensor = rope.scaling != RopeScaling::none || rope.still > 0;
  // A missing type means linear, with a factor of 1.
  const std::string type = fields.text(kType, by_tensor ? "longrope" : "linear");
  if (type == "longrope" || type == "none") {
    if (type == "longrope" && !by_tensor)
      fields.refuse(kType, "longrope without its tensors", "rope_factors_long and _short");
    return;
  }
  if (type != "linear" && type != "yarn")
    fields.refuse(kType, "not known", "none, linear, yarn or longrope",
                  "\"" + printable(type) + "\"");
  if (type == "yarn") {
    if (by_tensor) fields.refuse(kType, "two kinds of scaling at once", {}, type);
    read_yarn(fields, d.latent.rank > 0, rope);
    return;
  }
  const RopeScaling by_tensors = rope.scaling;
  const double factor = rope.factor;
  read_linear(fields, rope);
  if (!by_tensor) return;
  if (rope.factor != 1) fields.refuse(kType, "two kinds of scaling at once", {}, type);
  rope.scaling = by_tensors;
  rope.factor = factor;
}

/// 0 where all have one.
std::int64_t first_without_window(const Decoder& d) {
  for (std::int64_t i = 0; i < d.layers; ++i) {
    if (!d.layer(i).window) return i;
  }
  return 0;
}

void read_rope(GgufFields& fields, const Architecture& architecture, const Checkpoint& checkpoint,
               Decoder& d) {
  constexpr const char* kDims = "rope.dimension_count";
  Rope& rope = d.rope;
  const std::int64_t head = d.head_dim_of(first_without_window(d));
  rope.dims = fields.count(kDims, head, head);
  if (rope.dims < 2 || rope.dims % 2 != 0) {
    fields.refuse(kDims, "rotated dimensions of a head must be even and at least 2", {},
                  std::to_string(rope.dims));
  }
  if (rope.dims != head && !architecture.gguf.partial_rope) {
    fields.refuse(kDims, "the architecture rotates whole heads", std::to_string(head),
                  std::to_string(rope.dims));
  }
  rope.theta = fields.positive("rope.freq_base", rope.theta);
  read_scaling(fields, checkpoint, reads_rope_tensors(architecture.gguf), d);
}

// The graph doesn't look at a pattern that says it layer by layer; what it does must be what the
// file says all the same.
void check_pattern(GgufFields& fields, std::int64_t period, const Decoder& d) {
  constexpr const char* kPattern = "attention.sliding_window_pattern";
  if (period == 0 || !fields.has(kPattern)) return;
  const std::vector<bool>* windows = fields.booleans(kPattern);
  if (windows == nullptr) {
    if (fields.count(kPattern, kMostLayers) != period)
      fields.refuse(kPattern, "value not supported", std::to_string(period));
    return;
  }
  bool fits = std::ssize(*windows) == d.layers;
  for (std::int64_t i = 0; fits && i < d.layers; ++i)
    fits = (*windows)[static_cast<std::size_t>(i)] != ends_period(i, period);
  if (!fits) {
    fields.refuse(kPattern, "value not supported",
                  "in every " + std::to_string(period) + " layers the last without a window");
  }
}

void read_windows(GgufFields& fields, const RuntimeModule& graph, Decoder& d) {
  constexpr const char* kWindow = "attention.sliding_window";
  const std::int64_t period = graph.window_period;
  check_pattern(fields, period, d);
  const Decoder before = d;
  std::optional<std::int64_t> window = d.window();
  if (fields.has(kWindow)) {
    const std::int64_t stated = fields.integer(kWindow, 0, kMostContext);
    window = stated > 0 ? std::optional(stated) : std::nullopt;
  }
  set_windows(d, window, [&](std::int64_t i) {
    if (period != 0) return !ends_period(i, period);
    return !before.window() || before.layer(i).window.has_value();
  });
}

// Needs the windows and the global rope.
void read_rope_kinds(GgufFields& fields, const GgufFacts& facts, Decoder& d) {
  if (facts.local_rope && d.window()) {
    const double theta = facts.local_theta.value_or(d.rope.theta);
    d.local_rope.theta = fields.positive("rope.freq_base_swa", theta);
    if (d.local_rope.dims == 0) d.local_rope.dims = d.rope.dims;
    d.local_rope.original_context = d.context;
    set_layers(d, [](std::int64_t, Layer& layer) {
      layer.rope = layer.window ? RopeKind::local : RopeKind::global;
    });
  }
  const std::int64_t period = facts.computes.rope_period;
  if (period == 0) return;
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    layer.rope = ends_period(i, period) ? RopeKind::none : RopeKind::global;
  });
}

constexpr const char* kArchitecture = "general.architecture";
constexpr const char* kExperts = "expert_count";

bool has_experts(const Architecture& architecture) {
  return find_row(architecture, Role::router, Part::weight) != nullptr;
}

/// Whether what the architecture has one way is said so, or not at all.
bool fits(const Architecture& architecture, GgufFields& fields) {
  return std::ranges::all_of(architecture.fields, [&](const Field& field) {
    const Only* only = std::get_if<Only>(&field.value);
    return only == nullptr || !fields.has(field.gguf) ||
           fields.integer(field.gguf, 0, INT32_MAX) == only->value;
  });
}

// Some converters write these keys into every file.
void refuse_experts(GgufFields& fields) {
  for (const char* key : {kExperts, "expert_used_count"}) {
    if (fields.has(key) && fields.integer(key, 0, INT32_MAX) > 0)
      fields.refuse(key, "a mixture of experts is not supported", "0");
  }
}

void check_groups(GgufFields& fields, const Experts& e) {
  if (e.count % e.groups != 0 || e.count / e.groups * e.used_groups < e.chosen)
    fields.refuse("expert_group_count", "doesn't part the experts into groups to choose from");
}

void check_space(GgufFields& fields, const StateSpace& space) {
  if (space.heads == 0) return;
  if (space.heads % space.groups != 0)
    fields.refuse("ssm.group_count", "doesn't divide the state space's heads",
                  std::to_string(space.heads), std::to_string(space.groups));
  if (space.head_dim < 1 || space.head_dim > kMostHeadDim)
    fields.refuse("ssm.inner_size", "no multiple of the state space's heads, or too large",
                  "a multiple of " + std::to_string(space.heads));
}

void check_delta(GgufFields& fields, const DeltaHeads& heads) {
  if (heads.keys == 0) return;
  if (heads.values % heads.keys != 0)
    fields.refuse("ssm.time_step_rank", "no multiple of the heads of keys",
                  std::to_string(heads.keys), std::to_string(heads.values));
  if (heads.value_dim < 1 || heads.value_dim > kMostHeadDim)
    fields.refuse("ssm.inner_size", "heads too large or empty", {},
                  std::to_string(heads.value_dim));
}

}  // namespace

const Architecture& find_gguf_architecture(const Checkpoint& checkpoint) {
  const std::string_view what = describe_gguf(checkpoint.metadata);
  if (!what.empty()) throw Error(checkpoint.path.string(), "no model", {}, std::string(what));
  GgufFields fields(checkpoint.metadata, "", checkpoint.path.string());
  const std::string name = fields.text(kArchitecture);
  std::vector<const Architecture*> named;
  std::vector<std::string_view> known;
  for (const Architecture* a : architectures()) {
    if (a->gguf.name == name || a->gguf.of_experts == name) named.push_back(a);
    for (const std::string_view known_name : {a->gguf.name, a->gguf.of_experts}) {
      if (!known_name.empty() && std::ranges::find(known, known_name) == known.end())
        known.push_back(known_name);
    }
  }
  if (named.empty()) {
    fields.refuse(kArchitecture, "architecture not supported",
                  fmt::format("{}", fmt::join(known, ", ")), "\"" + printable(name) + "\"");
  }
  // Some of ours have one name; experts, or how they are chosen, tell them apart.
  GgufFields keys(checkpoint.metadata, name + ".", checkpoint.path.string());
  const bool experts = keys.has(kExperts) && keys.integer(kExperts, 0, INT32_MAX) > 0;
  const auto found = std::ranges::find_if(
      named, [&](const Architecture* a) { return has_experts(*a) == experts && fits(*a, keys); });
  return found == named.end() ? *named.front() : **found;
}

Decoder read_gguf_decoder(const Architecture& architecture, const Checkpoint& checkpoint) {
  const GgufFacts& facts = architecture.gguf;
  const std::string place = checkpoint.path.string();
  const std::string name = GgufFields(checkpoint.metadata, "", place).text(kArchitecture);
  GgufFields fields(checkpoint.metadata, name + ".", place);
  Decoder d;
  d.architecture = architecture.name;
  d.activation = facts.computes.activation;
  for (const Field& field : architecture.fields) {
    if (!field.gguf.empty()) std::visit(Reading{fields, d, field.gguf, field.unsaid}, field.value);
  }
  if (!architecture.beyond_layers.empty()) leave_layers_beyond(fields, d);
  d.vocabulary = embedding_rows(architecture, checkpoint, fields.where(), d.vocabulary);
  check_delta(fields, d.delta);
  check_space(fields, d.space);
  if (has_experts(architecture)) {
    check_groups(fields, d.experts);
  } else {
    refuse_experts(fields);
  }
  if (architecture.fix != nullptr) architecture.fix(d);
  if (facts.graph != nullptr) facts.graph(d);
  const TensorRow* head = find_row(architecture, Role::head, Part::weight);
  d.tied = head != nullptr && head->when != nullptr && find_tensor(checkpoint, *head) == nullptr;
  const auto has = [&](Role role, Part part) {
    return has_optional(architecture, checkpoint, d.layers, role, part);
  };
  d.attention_bias = has(Role::query, Part::bias);
  d.mlp_bias = has(Role::up, Part::bias);
  d.head_bias = has(Role::head, Part::bias);
  d.conv_bias = has(Role::convolution, Part::bias);
  d.head_norms = has(Role::query_norm, Part::weight);
  if (is_optional(architecture, Role::space_norm, Part::weight))
    d.space.normed = has(Role::space_norm, Part::weight);
  if (facts.values_may_be_keys) find_values(architecture, checkpoint, d);
  if (find_row(architecture, Role::position, Part::weight) == nullptr)
    read_rope(fields, architecture, checkpoint, d);
  read_windows(fields, facts.computes, d);
  read_rope_kinds(fields, facts, d);
  if (facts.tempers_queries) {
    d.query_beta = fields.positive("attention.temperature_scale");
    d.query_length =
        fields.count("attention.temperature_length", kMostContext, d.rope.original_context);
  }
  if (!fields.boolean("attention.causal", true))
    fields.refuse("attention.causal", "value not supported", "true", "false");
  fields.has("tensor_data_layout");  // whether q and k were permuted; llama.cpp ignores it, too
  fields.finish();
  return d;
}

}  // namespace zp
