// Roles, sizes, and an architecture's table written out for a model's layers.
#include <array>

#include "base/checked.h"
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
    RoleRow{Role::attention_output, "attention_output", true,
            "from the heads back to the hidden state"},
    RoleRow{Role::query_norm, "query_norm", false, "of each head's queries"},
    RoleRow{Role::key_norm, "key_norm", false, "of each head's keys"},
    RoleRow{Role::attention_post_norm, "attention_post_norm", false, "behind attention"},
    RoleRow{Role::ffn_norm, "ffn_norm", false, "before the feed-forward part"},
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

constexpr std::string_view kLayer = "{}";

bool in_layers(const TensorRow& row) { return row.hf.find(kLayer) != std::string_view::npos; }

std::string name_of(std::string_view pattern, const TensorRow& row, std::int64_t layer) {
  std::string name(pattern);
  if (const auto at = name.find(kLayer); at != std::string::npos) {
    name.replace(at, kLayer.size(), std::to_string(layer));
  }
  return name + (row.part == Part::weight ? ".weight" : ".bias");
}

TensorUse use_of(const TensorRow& row, const Decoder& decoder, std::int64_t layer) {
  return {.place = {layer, row.role},
          .part = row.part,
          .hf = name_of(row.hf, row, layer),
          .gguf = name_of(row.gguf, row, layer),
          .module = name_of(row.module.empty() ? row.hf : row.module, row, layer),
          .rows = size_of(row.rows, decoder),
          .cols = size_of(row.cols, decoder),
          .transposed = row.transposed,
          .gguf_order = row.gguf_order};
}

}  // namespace

std::string_view role_name(Role role) { return row_of(role).name; }
bool is_matrix(Role role) { return row_of(role).matrix; }
std::span<const RoleRow> role_rows() { return kRoles; }

const std::string& TensorUse::name(World world) const {
  return world == World::gguf ? gguf : world == World::mlx ? module : hf;
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
  }
  return 0;
}

std::vector<TensorUse> tensor_uses(const Architecture& architecture, const Decoder& decoder) {
  std::vector<TensorUse> uses;
  const auto add = [&](const TensorRow& row, std::int64_t layer) {
    if (row.when == nullptr || row.when(decoder)) uses.push_back(use_of(row, decoder, layer));
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
