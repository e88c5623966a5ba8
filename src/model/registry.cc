// The architectures there are, and which one a config.json names.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "model/architecture.h"
#include "model/unread_kinds.h"

namespace zp {

#define ZP_ARCHITECTURE(file) extern const Architecture architecture_##file;
#include "model/architectures.def"
#undef ZP_ARCHITECTURE

std::span<const Architecture* const> architectures() {
#define ZP_ARCHITECTURE(file) &architecture_##file,
  static constexpr std::array all = {
#include "model/architectures.def"
  };
#undef ZP_ARCHITECTURE
  return all;
}

namespace {

const Architecture* find_by(Names Architecture::*names, std::string_view found) {
  for (const Architecture* a : architectures()) {
    if (std::ranges::find(a->*names, found) != (a->*names).end()) return a;
  }
  return nullptr;
}

std::string all_of(Names Architecture::*names) {
  std::string all;
  for (const Architecture* a : architectures()) {
    for (const std::string_view name : a->*names)
      all += (all.empty() ? "" : ", ") + std::string(name);
  }
  return all;
}

[[noreturn]] void refuse(const Json& config, const std::string& where, Names Architecture::*names,
                         const std::string& found) {
  const std::string_view kind = unread_kind_in(config);
  throw Error(where,
              kind.empty() ? "architecture not supported"
                           : "architecture not supported: " + std::string(kind),
              all_of(names), "\"" + found + "\"");
}

std::vector<std::string> class_names(const JsonFields& fields, const std::string& where) {
  std::vector<std::string> names;
  if (!fields.has("architectures")) return names;
  const Json& classes = fields.at("architectures");
  const bool texts = classes.is_array() && std::all_of(classes.begin(), classes.end(),
                                                       [](const Json& c) { return c.is_string(); });
  if (!texts) throw Error(where, "wrong type", "a list of names", classes.dump_ascii());
  for (const Json& name : classes) names.push_back(name.get<std::string>());
  return names;
}

const Architecture* of_class(std::string_view name) {
  const Architecture* found = find_by(&Architecture::hf_classes, name);
  return found != nullptr ? found : find_by(&Architecture::inner_classes, name);
}

}  // namespace

std::string class_with_head(const std::string& name) {
  const Architecture* of = find_by(&Architecture::inner_classes, name);
  if (of == nullptr) return name;
  const auto at = std::ranges::find(of->inner_classes, name) - of->inner_classes.begin();
  return std::string(of->hf_classes[static_cast<std::size_t>(at)]);
}

bool reads_rope_tensors(const GgufFacts& facts) {
  return std::ranges::find(facts.computes.scalings, RopeScaling::llama3) !=
         facts.computes.scalings.end();
}

const Architecture& find_architecture(const Json& config, const std::string& where) {
  const JsonFields fields(config, where);
  const std::string in_type = where + ": \"model_type\"";
  const std::string in_classes = where + ": \"architectures\"";
  const std::vector<std::string> classes = class_names(fields, in_classes);
  const Architecture* found = nullptr;
  if (fields.has("model_type") || classes.empty()) {
    const std::string type = fields.text("model_type");
    found = find_by(&Architecture::model_types, type);
    if (found == nullptr) refuse(config, in_type, &Architecture::model_types, type);
  } else {
    found = of_class(classes.front());
  }
  for (const std::string& name : classes) {
    const Architecture* of = of_class(name);
    if (of == nullptr) refuse(config, in_classes, &Architecture::hf_classes, name);
    if (of != found)
      throw Error(in_classes, "class of another architecture than \"model_type\" names",
                  std::string(found->hf_classes.front()), "\"" + name + "\"");
  }
  return *found;
}

}  // namespace zp
