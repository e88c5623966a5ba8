// The architectures there are, and which one a config.json names.
#include <array>

#include "base/error.h"
#include "model/architecture.h"

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

const Architecture& find_by(Names Architecture::*names, const std::string& found, const char* field,
                            const std::string& where) {
  std::string known;
  for (const Architecture* a : architectures()) {
    for (const std::string_view name : a->*names) {
      if (name == found) return *a;
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
  }
  throw Error(where + ": \"" + field + "\"", "architecture not supported", known,
              "\"" + found + "\"");
}

}  // namespace

const Architecture& find_architecture(const Json& config, const std::string& where) {
  const JsonFields fields(config, where);
  if (!fields.has("architectures")) {
    return find_by(&Architecture::model_types, fields.text("model_type"), "model_type", where);
  }
  const Json& classes = fields.at("architectures");
  if (!classes.is_array() || classes.size() != 1 || !classes[0].is_string()) {
    throw Error(where + ": \"architectures\"", "one architecture expected", "a list of one name",
                classes.dump(-1, ' ', true));
  }
  return find_by(&Architecture::hf_classes, classes[0].get<std::string>(), "architectures", where);
}

}  // namespace zp
