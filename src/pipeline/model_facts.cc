#include "pipeline/model_facts.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/json.h"
#include "pipeline/beside.h"
#include "pipeline/check_graph.h"
#include "source/read_model.h"

namespace zp {
namespace {

constexpr std::string_view kLayer = "{}";

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

std::string_view suffix(Part part) { return part == Part::weight ? ".weight" : ".bias"; }

// What the files call the architecture, whether it is known here or not.
std::string stated_name(const Checkpoint& checkpoint) {
  for (const gguf::Pair& pair : checkpoint.metadata) {
    const auto* name = std::get_if<std::string>(&pair.value);
    if (pair.key == "general.architecture" && name != nullptr) return printable(*name);
  }
  const Json& config = checkpoint.config();
  if (!config.is_object() || !config.contains("model_type")) return {};
  const Json& name = config["model_type"];
  return name.is_string() ? printable(name.get<std::string>()) : std::string();
}

}  // namespace

ModelFacts model_facts(const Checkpoint& checkpoint) {
  ModelFacts facts;
  facts.name = stated_name(checkpoint);
  try {
    facts.architecture = &architecture_of(checkpoint);
    facts.name = facts.architecture->name;
    const Model model = read_model(checkpoint);
    check_graph(checkpoint, model);
    facts.vocabulary = model.decoder.vocabulary;
    facts.notes = model.notes;
    facts.beside = count_beside(all_beside(checkpoint, model));
  } catch (const Error& e) {
    facts.problems.emplace_back(e.what());
  }
  return facts;
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
        (!row.module.empty() && matches(row.module, name))) {
      return std::string(role_name(row.role));
    }
  }
  return {};
}

}  // namespace zp
