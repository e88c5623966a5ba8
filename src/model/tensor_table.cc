// Roles, sizes, and an architecture's table written out for a model's layers.
#include <array>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "model/numbered_name.h"
#include "model/roles.h"

namespace zp {
namespace {

constexpr std::array kRoles = {
    RoleRow{Role::embedding, "embedding", true, "a row for each token; a tied model's head, too"},
    RoleRow{Role::position, "position", true, "a row for each place in the text (GPT-2)"},
    RoleRow{Role::attention_norm, "attention_norm", false, "before attention"},
    RoleRow{Role::query, "query", true, "attention's queries"},
    RoleRow{Role::key, "key", true, "attention's keys"},
    RoleRow{Role::value, "value", true, "attention's values"},
    RoleRow{Role::qkv, "qkv", true, "queries, keys and values in one matrix"},
    RoleRow{Role::sinks, "sinks", false, "of each head a score that no token has"},
    RoleRow{Role::attention_output, "attention_output", true,
            "from the heads back to the hidden state"},
    RoleRow{Role::query_norm, "query_norm", false, "of each head's queries"},
    RoleRow{Role::key_norm, "key_norm", false, "of each head's keys"},
    RoleRow{Role::conv_in, "conv_in", true, "what goes through a short convolution, and its gates"},
    RoleRow{Role::convolution, "convolution", false, "of each column over the last tokens"},
    RoleRow{Role::conv_out, "conv_out", true, "from a short convolution back to the hidden state"},
    RoleRow{Role::attention_post_norm, "attention_post_norm", false, "behind attention"},
    RoleRow{Role::ffn_norm, "ffn_norm", false, "before the feed-forward part"},
    RoleRow{Role::router, "router", true, "a score for each expert"},
    RoleRow{Role::router_correction, "router_correction", false,
            "added to scores where experts are chosen"},
    RoleRow{Role::gate, "gate", true, "feed-forward: what the activation is applied to"},
    RoleRow{Role::up, "up", true, "feed-forward: to the inner size"},
    RoleRow{Role::gate_up, "gate_up", true, "gate and up in one matrix"},
    RoleRow{Role::down, "down", true, "feed-forward: back to the hidden state"},
    RoleRow{Role::ffn_post_norm, "ffn_post_norm", false, "behind the feed-forward part"},
    RoleRow{Role::output_norm, "output_norm", false, "before the head"},
    RoleRow{Role::head, "head", true, "from the hidden state to the logits"},
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

bool is_router(Role role) { return role == Role::router || role == Role::router_correction; }
bool is_shared(const TensorRow& row) {
  return row.rows == Dim::shared_ffn || row.cols == Dim::shared_ffn;
}

/// Whose weights these are; none: every layer has them.
std::optional<Mixer> mixer_of(Role role) {
  switch (role) {
    case Role::query:
    case Role::key:
    case Role::value:
    case Role::qkv:
    case Role::attention_output:
    case Role::query_norm:
    case Role::key_norm:
    case Role::sinks:
      return Mixer::attention;
    case Role::conv_in:
    case Role::convolution:
    case Role::conv_out:
      return Mixer::short_convolution;
    default:
      return std::nullopt;
  }
}

bool in_layer(const TensorRow& row, const Layer& layer) {
  if (mixer_of(row.role).value_or(layer.mixer) != layer.mixer) return false;
  if (of_experts(row) || is_router(row.role) || is_shared(row)) return layer.experts;
  return !is_mlp(row.role) || !layer.experts;
}

TensorUse use_of(const TensorRow& row, const Decoder& decoder, Place place) {
  const std::string_view end = row.part == Part::weight ? ".weight" : ".bias";
  const std::string_view end_of_module = row.bare ? "" : end;
  return {.place = place,
          .part = row.part,
          .hf = numbered_name(row.hf, place).append(end_of_module),
          .gguf = numbered_name(row.gguf, place).append(end),
          .module =
              numbered_name(row.module.empty() ? row.hf : row.module, place).append(end_of_module),
          .rows = size_of(row.rows, decoder),
          .cols = size_of(row.cols, decoder),
          .transposed = row.transposed,
          .gguf_order = row.gguf_order,
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
bool is_matrix(Role role) { return row_of(role).matrix; }
std::span<const RoleRow> role_rows() { return kRoles; }

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
  std::vector<std::int64_t> of_one = {cols};
  if (is_matrix()) of_one = {rows, cols};
  if (transposed && world == World::hf) of_one = {cols, rows};
  if (is_stacked(world)) of_one.insert(of_one.begin(), experts);
  return of_one;
}

std::int64_t size_of(Dim dim, const Decoder& d) {
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
      return d.head_dim;
    case Dim::query:
      return d.heads * d.head_dim;
    case Dim::key:
      return d.kv_heads * d.head_dim;
    case Dim::qkv:
      return (d.heads + 2 * d.kv_heads) * d.head_dim;
    case Dim::ffn:
      return d.ffn;
    case Dim::gate_up:
      return 2 * d.ffn;
    case Dim::experts:
      return d.experts.count;
    case Dim::expert_ffn:
      return d.experts.ffn;
    case Dim::shared_ffn:
      return d.experts.shared_ffn;
    case Dim::conv_in:
      return 3 * d.hidden;
    case Dim::convolution:
      return d.convolution;
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
