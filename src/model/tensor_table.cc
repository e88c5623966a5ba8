// Roles, sizes, and an architecture's table written out for a model's layers.
#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/error.h"
#include "model/numbered_name.h"
#include "model/roles.h"

namespace zp {
namespace {

constexpr std::array kRoles = {
    RoleRow{Role::embedding, "embedding", RoleKind::matrix,
            "a row for each token; a tied model's head, too"},
    RoleRow{Role::position, "position", RoleKind::matrix,
            "a row for each place in the text (GPT-2)"},
    RoleRow{Role::layer_embedding, "layer_embedding", RoleKind::matrix,
            "a row for each token, of which each layer has a part"},
    RoleRow{Role::layer_projection, "layer_projection", RoleKind::matrix,
            "from the embedding to what each layer has of a token", true},
    RoleRow{Role::layer_projection_norm, "layer_projection_norm", RoleKind::norm,
            "behind it, of each layer's part"},
    RoleRow{Role::attention_norm, "attention_norm", RoleKind::norm, "before attention"},
    RoleRow{Role::query_a, "query_a", RoleKind::matrix,
            "latent attention: the vector that queries come of"},
    RoleRow{Role::query_a_norm, "query_a_norm", RoleKind::norm, "of that vector"},
    RoleRow{Role::query, "query", RoleKind::matrix, "attention's queries"},
    RoleRow{Role::kv_a, "kv_a", RoleKind::matrix,
            "latent attention: the vector that keys and values come of, and keys all heads have"},
    RoleRow{Role::kv_a_norm, "kv_a_norm", RoleKind::norm, "of that vector"},
    RoleRow{Role::kv_b, "kv_b", RoleKind::matrix,
            "latent attention: of each head keys, then values"},
    RoleRow{Role::key, "key", RoleKind::matrix, "attention's keys"},
    RoleRow{Role::value, "value", RoleKind::matrix, "attention's values"},
    RoleRow{Role::qkv, "qkv", RoleKind::matrix, "queries, keys and values in one matrix"},
    RoleRow{Role::sinks, "sinks", RoleKind::other, "of each head a score that no token has"},
    RoleRow{Role::attention_output, "attention_output", RoleKind::matrix,
            "from the heads back to the hidden state"},
    RoleRow{Role::query_norm, "query_norm", RoleKind::norm, "of each head's queries"},
    RoleRow{Role::key_norm, "key_norm", RoleKind::norm, "of each head's keys"},
    RoleRow{Role::conv_in, "conv_in", RoleKind::matrix,
            "what goes through a short convolution, and its gates"},
    RoleRow{Role::convolution, "convolution", RoleKind::other,
            "of each column over the last tokens"},
    RoleRow{Role::conv_out, "conv_out", RoleKind::matrix,
            "from a short convolution back to the hidden state"},
    RoleRow{Role::delta_qkvz, "delta_qkvz", RoleKind::matrix,
            "linear attention: of each head of keys its query, key, values and their gates"},
    RoleRow{Role::delta_qkv, "delta_qkv", RoleKind::matrix,
            "linear attention: queries, keys and values"},
    RoleRow{Role::delta_gate, "delta_gate", RoleKind::matrix,
            "linear attention: what its output is multiplied by"},
    RoleRow{Role::delta_beta_decay, "delta_beta_decay", RoleKind::matrix,
            "linear attention: delta_beta and delta_decay of each head of keys", true},
    RoleRow{Role::delta_beta, "delta_beta", RoleKind::matrix,
            "linear attention: how much of a token is written into the state", true},
    RoleRow{Role::delta_decay, "delta_decay", RoleKind::matrix,
            "linear attention: how much of the state is forgotten", true},
    RoleRow{Role::delta_decay_bias, "delta_decay_bias", RoleKind::other,
            "linear attention: added to what delta_decay gives"},
    RoleRow{Role::delta_rate, "delta_rate", RoleKind::other,
            "linear attention: the logarithm of each head's rate of forgetting"},
    RoleRow{Role::delta_norm, "delta_norm", RoleKind::other,
            "linear attention: a norm of each head, before its gate"},
    RoleRow{Role::delta_out, "delta_out", RoleKind::matrix,
            "linear attention: from the heads back to the hidden state"},
    RoleRow{Role::space_in, "space_in", RoleKind::matrix,
            "state space: the gate, what goes through its convolution, and time steps"},
    RoleRow{Role::space_step_bias, "space_step_bias", RoleKind::other,
            "state space: added to time steps"},
    RoleRow{Role::space_rate, "space_rate", RoleKind::other,
            "state space: the logarithm of each head's rate of forgetting"},
    RoleRow{Role::space_skip, "space_skip", RoleKind::other,
            "state space: how much of its input each head's output has"},
    RoleRow{Role::space_norm, "space_norm", RoleKind::other, "state space: a norm behind its gate"},
    RoleRow{Role::space_out, "space_out", RoleKind::matrix,
            "state space: from the heads back to the hidden state"},
    RoleRow{Role::attention_post_norm, "attention_post_norm", RoleKind::norm, "behind attention"},
    RoleRow{Role::ffn_norm, "ffn_norm", RoleKind::norm, "before the feed-forward part"},
    RoleRow{Role::router_norm, "router_norm", RoleKind::norm, "before the router"},
    RoleRow{Role::router, "router", RoleKind::matrix, "a score for each expert", true},
    RoleRow{Role::router_correction, "router_correction", RoleKind::other,
            "added to scores where experts are chosen"},
    RoleRow{Role::expert_norm, "expert_norm", RoleKind::norm, "before the experts"},
    RoleRow{Role::expert_in, "expert_in", RoleKind::matrix,
            "from the hidden state to the smaller vector that experts read"},
    RoleRow{Role::expert_out, "expert_out", RoleKind::matrix,
            "from the vector that experts make back to the hidden state"},
    RoleRow{Role::shared_gate, "shared_gate", RoleKind::matrix,
            "what the MLP that all tokens go through is multiplied by", true},
    RoleRow{Role::gate, "gate", RoleKind::matrix,
            "feed-forward: what the activation is applied to"},
    RoleRow{Role::up, "up", RoleKind::matrix, "feed-forward: to the inner size"},
    RoleRow{Role::gate_up, "gate_up", RoleKind::matrix, "gate and up in one matrix"},
    RoleRow{Role::down, "down", RoleKind::matrix, "feed-forward: back to the hidden state"},
    RoleRow{Role::expert_scale, "expert_scale", RoleKind::other,
            "what each expert's weight is multiplied by"},
    RoleRow{Role::expert_post_norm, "expert_post_norm", RoleKind::norm, "behind the experts"},
    RoleRow{Role::shared_post_norm, "shared_post_norm", RoleKind::norm,
            "behind the MLP that all tokens go through"},
    RoleRow{Role::ffn_post_norm, "ffn_post_norm", RoleKind::norm, "behind the feed-forward part"},
    RoleRow{Role::layer_gate, "layer_gate", RoleKind::matrix,
            "what the layer's part of a token is multiplied by"},
    RoleRow{Role::layer_up, "layer_up", RoleKind::matrix, "from there to the hidden state"},
    RoleRow{Role::layer_post_norm, "layer_post_norm", RoleKind::norm, "behind it"},
    RoleRow{Role::layer_scale, "layer_scale", RoleKind::other,
            "what a layer's output is multiplied by"},
    RoleRow{Role::output_norm, "output_norm", RoleKind::norm, "before the head"},
    RoleRow{Role::head, "head", RoleKind::matrix, "from the hidden state to the logits"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if (static_cast<std::size_t>(kRoles[i].role) != i) return false;
  }
  return true;
}
static_assert(in_order(), "kRoles is indexed by Role");

const RoleRow& row_of(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

bool in_layers(const TensorRow& row) { return row.hf.find(kNumber) != std::string_view::npos; }
bool of_experts(const TensorRow& row) {
  return in_layers(row) && row.hf.find(kNumber) != row.hf.rfind(kNumber);
}

bool is_mlp(Role role) {
  return role == Role::gate || role == Role::up || role == Role::gate_up || role == Role::down;
}

/// Whether layers with experts alone have it, whatever its sizes.
bool is_beside_experts(Role role) {
  switch (role) {
    case Role::router_norm:
    case Role::router:
    case Role::router_correction:
    case Role::expert_norm:
    case Role::expert_in:
    case Role::expert_out:
    case Role::shared_gate:
    case Role::expert_scale:
    case Role::expert_post_norm:
    case Role::shared_post_norm:
      return true;
    default:
      return false;
  }
}

bool is_of_keys(Role role) {
  return role == Role::key || role == Role::value || role == Role::key_norm;
}
bool is_shared(const TensorRow& row) {
  return row.rows == Dim::shared_ffn || row.cols == Dim::shared_ffn;
}

/// Whether a layer with that mixer, or with a feed-forward part, has such weights.
bool belongs(Role role, const Layer& layer) {
  const Mixer mixer = layer.mixer;
  switch (role) {
    case Role::attention_norm:
    case Role::attention_post_norm:
      return mixer != Mixer::none;
    case Role::ffn_norm:
    case Role::ffn_post_norm:
      return layer.feeds;
    case Role::query_a:
    case Role::query_a_norm:
    case Role::query:
    case Role::kv_a:
    case Role::kv_a_norm:
    case Role::kv_b:
    case Role::key:
    case Role::value:
    case Role::qkv:
    case Role::attention_output:
    case Role::query_norm:
    case Role::key_norm:
    case Role::sinks:
      return layer.attends();
    case Role::conv_in:
    case Role::conv_out:
      return mixer == Mixer::short_convolution;
    case Role::convolution:
      return mixer != Mixer::attention && mixer != Mixer::none;
    case Role::delta_qkvz:
    case Role::delta_qkv:
    case Role::delta_gate:
    case Role::delta_beta_decay:
    case Role::delta_beta:
    case Role::delta_decay:
    case Role::delta_decay_bias:
    case Role::delta_rate:
    case Role::delta_norm:
    case Role::delta_out:
      return mixer == Mixer::gated_delta;
    case Role::space_in:
    case Role::space_step_bias:
    case Role::space_rate:
    case Role::space_skip:
    case Role::space_norm:
    case Role::space_out:
      return mixer == Mixer::state_space || mixer == Mixer::attention_and_space;
    default:
      return true;
  }
}

bool in_layer(const TensorRow& row, const Layer& layer) {
  if (!belongs(row.role, layer)) return false;
  if (row.role == Role::value && layer.values_are_keys) return false;
  if (is_of_keys(row.role) && layer.keys_of) return false;
  if (of_experts(row) || is_beside_experts(row.role) || is_shared(row)) return layer.experts;
  return !is_mlp(row.role) || (layer.feeds && !layer.experts);
}

TensorUse use_of(const TensorRow& row, const Decoder& decoder, Place place) {
  const std::string_view end = row.part == Part::weight ? ".weight" : ".bias";
  const std::string_view end_of_module = row.bare ? "" : end;
  const std::int64_t layer = std::max(place.layer, std::int64_t{0});
  return {.place = place,
          .part = row.part,
          .hf = numbered_name(row.hf, place).append(end_of_module),
          .gguf = numbered_name(row.gguf, place).append(row.gguf_bare ? "" : end),
          .module =
              numbered_name(row.module.empty() ? row.hf : row.module, place).append(end_of_module),
          .rows = size_of(row.rows, decoder, layer),
          .cols = size_of(row.cols, decoder, layer),
          .transposed = row.transposed,
          .gguf_order = row.gguf_order,
          .parts = norm_parts(decoder, row.role),
          .experts = place.expert < 0 ? 0 : decoder.experts.count};
}

// A small file may claim more experts than there is memory to list; layers and experts are each
// within their limits.
void check_experts(const Decoder& decoder) {
  constexpr std::int64_t kMost = std::int64_t{1} << 17;
  const std::int64_t all = decoder.layers * decoder.experts.count;
  if (all > kMost) {
    throw Error("model", "too many experts", "at most " + std::to_string(kMost) + " in all layers",
                std::to_string(all));
  }
}

}  // namespace

std::string_view role_name(Role role) { return row_of(role).name; }
bool is_matrix(Role role) { return row_of(role).kind == RoleKind::matrix; }
bool is_norm(Role role) { return row_of(role).kind == RoleKind::norm; }
bool stays_float(Role role) { return row_of(role).floating; }
std::span<const RoleRow> role_rows() { return kRoles; }

double norm_epsilon(const Decoder& decoder, Role role) {
  const bool latent = role == Role::query_a_norm || role == Role::kv_a_norm;
  return latent ? decoder.latent.norm_epsilon : decoder.norm_epsilon;
}

std::int64_t norm_parts(const Decoder& decoder, Role role) {
  return role == Role::space_norm ? decoder.space.groups : 1;
}

const std::string& TensorUse::name(World world) const {
  return world == World::gguf ? gguf : world == World::mlx ? module : hf;
}

std::vector<std::int64_t> TensorUse::shape(World world) const {
  if (is_convolution()) {
    // Each column is a group of its own, of one column.
    if (world == World::gguf) return {rows, cols};
    return world == World::hf ? std::vector{rows, std::int64_t{1}, cols}
                              : std::vector{rows, cols, std::int64_t{1}};
  }
  // llama.cpp has a row for each head, and for each part.
  const Role role = place.role;
  if (world == World::gguf && (role == Role::space_rate || role == Role::space_skip))
    return {cols, 1};
  if (world == World::gguf && role == Role::space_norm) return {parts, cols / parts};
  std::vector<std::int64_t> of_one = {cols};
  if (is_matrix()) of_one = {rows, cols};
  if (transposed && world == World::hf) of_one = {cols, rows};
  if (is_stacked(world)) of_one.insert(of_one.begin(), experts);
  return of_one;
}

std::int64_t size_of(Dim dim, const Decoder& d, std::int64_t layer) {
  switch (dim) {
    case Dim::one:
      return 1;
    case Dim::vocabulary:
      return d.vocabulary;
    case Dim::hidden:
      return d.hidden;
    case Dim::context:
      return d.context;
    case Dim::heads:
      return d.heads;
    case Dim::head:
      return d.head_dim_of(layer);
    case Dim::query:
      return d.query_columns(layer);
    case Dim::key:
      return d.key_columns(layer);
    case Dim::attended:
      return d.attended_columns(layer);
    case Dim::query_rank:
      return d.latent.query_rank;
    case Dim::kv_a:
      return d.latent.rank + d.rope.dims;
    case Dim::kv_rank:
      return d.latent.rank;
    case Dim::kv_b:
      return d.heads * (d.latent_key_dim() + d.value_dim_of(layer));
    case Dim::qkv:
      return d.query_columns(layer) + 2 * d.key_columns(layer);
    case Dim::ffn:
      return d.ffn_of(layer);
    case Dim::gate_up:
      return 2 * d.ffn_of(layer);
    case Dim::experts:
      return d.experts.count;
    case Dim::expert_ffn:
      return d.experts.ffn;
    case Dim::expert_width:
      return d.experts.width > 0 ? d.experts.width : d.hidden;
    case Dim::shared_ffn:
      return d.experts.shared_ffn;
    case Dim::layer_vocabulary:
      return d.layer_vocabulary;
    case Dim::layer_columns:
      return d.layer_columns;
    case Dim::all_layer_columns:
      return d.layers * d.layer_columns;
    case Dim::conv_in:
      return 3 * d.hidden;
    case Dim::convolution:
      return d.convolution;
    case Dim::gated_query:
      return 2 * d.query_columns(layer);
    case Dim::delta_qkv:
      return d.delta.columns();
    case Dim::delta_qkvz:
      return d.delta.columns() + d.delta.value_columns();
    case Dim::delta_value:
      return d.delta.value_columns();
    case Dim::delta_heads:
      return d.delta.values;
    case Dim::delta_head_pairs:
      return 2 * d.delta.values;
    case Dim::delta_head:
      return d.delta.value_dim;
    case Dim::space_in:
      return d.space.columns() + d.space.convolved() + d.space.heads;
    case Dim::space_convolved:
      return d.space.convolved();
    case Dim::space:
      return d.space.columns();
    case Dim::space_heads:
      return d.space.heads;
  }
  return 0;
}

std::vector<TensorUse> tensor_uses(const Architecture& architecture, const Decoder& decoder) {
  check_experts(decoder);
  std::vector<TensorUse> uses;
  const auto add = [&](const TensorRow& row, std::int64_t layer) {
    if (row.when != nullptr && !row.when(decoder)) return;
    if (layer >= 0 && !in_layer(row, decoder.layer(layer))) return;
    if (!of_experts(row)) return uses.push_back(use_of(row, decoder, {layer, row.role}));
    for (std::int64_t expert = 0; expert < decoder.experts.count; ++expert)
      uses.push_back(use_of(row, decoder, {layer, row.role, expert}));
  };
  const std::span<const TensorRow> table = architecture.table;
  std::size_t i = 0;
  for (; i < table.size() && !in_layers(table[i]); ++i) add(table[i], -1);
  const std::size_t first = i;
  while (i < table.size() && in_layers(table[i])) ++i;
  for (std::int64_t layer = 0; layer < decoder.layers; ++layer) {
    for (const TensorRow& row : table.subspan(first, i - first)) add(row, layer);
  }
  for (; i < table.size(); ++i) add(table[i], -1);
  return uses;
}

std::int64_t parameters(std::span<const TensorUse> uses) {
  std::int64_t sum = 0;
  for (const TensorUse& use : uses) {
    sum = checked_add(sum, checked_mul(use.rows, use.cols, use.hf), use.hf);
  }
  return sum;
}

}  // namespace zp
