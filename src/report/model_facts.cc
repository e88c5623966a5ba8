#include "report/model_facts.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace zp {
namespace {

constexpr std::string_view kLayer = "{}";
constexpr std::string_view kArchitecture = "general.architecture";

// "blk.{}.attn_q" against "blk.12.attn_q".
bool matches(std::string_view pattern, std::string_view name) {
  const std::size_t at = pattern.find(kLayer);
  if (at == pattern.npos) return pattern == name;
  const std::string_view end = pattern.substr(at + kLayer.size());
  if (name.size() <= pattern.size() - kLayer.size() || !name.starts_with(pattern.substr(0, at)) ||
      !name.ends_with(end)) {
    return false;
  }
  const std::string_view layer = name.substr(at, name.size() - at - end.size());
  return std::all_of(layer.begin(), layer.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string with_layer(std::string_view pattern, std::int64_t layer) {
  std::string name(pattern);
  if (const std::size_t at = name.find(kLayer); at != name.npos)
    name.replace(at, kLayer.size(), std::to_string(layer));
  return name;
}

std::string_view suffix(Part part) { return part == Part::weight ? ".weight" : ".bias"; }

template <class T>
const T* find(const Checkpoint& checkpoint, std::string_view key) {
  for (const gguf::Pair& pair : checkpoint.metadata) {
    if (pair.key == key) return std::get_if<T>(&pair.value);
  }
  return nullptr;
}

// Only what every model of the architecture has: the choices of this one stand in keys of its own.
void check_gguf_tensors(const Checkpoint& checkpoint, ModelFacts& facts) {
  const auto* layers = find<std::uint32_t>(checkpoint, facts.name + ".block_count");
  // A vocabulary alone has no tensors; more layers than tensors can't be looked up.
  if (checkpoint.tensors.empty()) {
    facts.problems.emplace_back("no tensors: a vocabulary alone");
    return;
  }
  if (layers == nullptr || *layers > checkpoint.tensors.size()) {
    facts.problems.push_back(facts.name +
                             ".block_count is missing or larger than the number of tensors");
    return;
  }
  for (const TensorRow& row : facts.architecture->table) {
    if (row.when != nullptr) continue;
    const std::int64_t count = row.gguf.find(kLayer) == row.gguf.npos ? 1 : *layers;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string name = with_layer(row.gguf, i).append(suffix(row.part));
      if (checkpoint.find(name) == nullptr)
        facts.problems.push_back("tensor missing: \"" + name + "\"");
    }
  }
}

ModelFacts gguf_facts(const Checkpoint& checkpoint) {
  ModelFacts facts;
  const auto* name = find<std::string>(checkpoint, kArchitecture);
  if (name == nullptr) {
    facts.problems.emplace_back("general.architecture is missing");
    return facts;
  }
  facts.name = printable(*name);
  for (const Architecture* a : architectures()) {
    if (a->gguf.name == *name) facts.architecture = a;
  }
  if (facts.architecture == nullptr) {
    facts.problems.push_back("architecture not supported: \"" + facts.name + "\"");
  } else {
    check_gguf_tensors(checkpoint, facts);
  }
  return facts;
}

ModelFacts config_facts(const Checkpoint& checkpoint) {
  ModelFacts facts;
  const std::string where = (checkpoint.folder / "config.json").string();
  if (checkpoint.config.is_null()) {
    facts.problems.push_back("no config.json in " + checkpoint.folder.string());
    return facts;
  }
  try {
    facts.name = JsonFields(checkpoint.config, where).text("model_type", "");
    facts.architecture = &find_architecture(checkpoint.config, where);
    facts.name = facts.architecture->name;
    const Decoder decoder = facts.architecture->read_config(checkpoint.config, where);
    if (decoder.layers > static_cast<std::int64_t>(checkpoint.tensors.size())) {
      throw Error(where, "more layers than the checkpoint has tensors", {},
                  std::to_string(decoder.layers));
    }
    bind_model(*facts.architecture, decoder, checkpoint.tensors, checkpoint.path.string());
  } catch (const Error& e) {
    facts.problems.emplace_back(e.what());
  }
  return facts;
}

}  // namespace

ModelFacts model_facts(const Checkpoint& checkpoint) {
  return checkpoint.metadata.empty() ? config_facts(checkpoint) : gguf_facts(checkpoint);
}

std::string role_of(const Architecture& architecture, std::string_view tensor) {
  for (const TensorRow& row : architecture.table) {
    const std::string_view end = suffix(row.part);
    if (!tensor.ends_with(end)) continue;
    const std::string_view name = tensor.substr(0, tensor.size() - end.size());
    std::string_view short_hf = row.hf;
    if (short_hf.starts_with(architecture.optional_prefix))
      short_hf.remove_prefix(architecture.optional_prefix.size());
    if (matches(row.hf, name) || matches(short_hf, name) || matches(row.gguf, name) ||
        (!row.mlx.empty() && matches(row.mlx, name))) {
      return std::string(role_name(row.role));
    }
  }
  return {};
}

}  // namespace zp
