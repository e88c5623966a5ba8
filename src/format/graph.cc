#include "format/graph.h"

namespace zp {

std::int64_t integer_of(const GraphNode& node, std::string_view name, std::int64_t otherwise) {
  for (const GraphAttribute& attribute : node.attributes) {
    const auto* value = std::get_if<std::int64_t>(&attribute.value);
    if (attribute.name == name && value != nullptr) return *value;
  }
  return otherwise;
}

}  // namespace zp
