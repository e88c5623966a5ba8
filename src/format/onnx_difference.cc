#include "format/onnx_difference.h"

#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "base/error.h"

namespace zp::onnx {
namespace {

using Found = std::optional<GraphDifference>;
constexpr const char* kNothing = GraphDifference::kNothing;

std::string text_of(const std::pair<std::string, std::int64_t>& set) {
  return in_quotes(set.first) + " " + std::to_string(set.second);
}
std::string text_of(const ValueInfo& value) {
  std::string text = in_quotes(value.name) + " of type " +
                     std::to_string(static_cast<std::int64_t>(value.type)) + " [";
  for (const Dim& dim : value.shape) {
    const auto* size = std::get_if<std::int64_t>(&dim);
    text += (text.back() == '[' ? "" : ", ") +
            (size != nullptr ? std::to_string(*size) : printable(std::get<std::string>(dim)));
  }
  return text + "]";
}
std::string text_of(const Initializer& tensor) {
  std::string text = "type " + std::to_string(static_cast<std::int64_t>(tensor.type)) + " [";
  for (const std::int64_t n : tensor.shape)
    text += (text.back() == '[' ? "" : ", ") + std::to_string(n);
  return text + "]" + (tensor.external ? " in another file" : "");
}

Found difference(std::string what, const std::string& found, const std::string& expected) {
  return GraphDifference{std::move(what), expected, found};
}

template <class T>
Found of_lists(const std::string& what, std::span<const T> found, std::span<const T> expected) {
  const auto compare = [](const std::string& place, const T& a, const T& b) {
    return a == b ? Found() : difference(place, text_of(a), text_of(b));
  };
  return zp::first_difference(what, found, expected, compare,
                              [](const T& element) { return text_of(element); });
}

using Place = std::pair<std::string_view, std::int64_t>;

Found of_tensors(const Model& found, const Model& expected) {
  std::map<std::string_view, const Initializer*> there;
  for (const Initializer& t : found.initializers) {
    if (!there.emplace(t.name, &t).second)
      return difference("tensor " + in_quotes(t.name), "two", "one");
  }
  std::map<Place, Place> moved;
  for (const Initializer& t : expected.initializers) {
    const std::string what = "tensor " + in_quotes(t.name);
    const auto at = there.find(t.name);
    if (at == there.end()) return difference(what, kNothing, text_of(t));
    const Initializer& other = *at->second;
    there.erase(at);
    if (other.type != t.type || other.shape != t.shape ||
        other.external.has_value() != t.external.has_value()) {
      return difference(what, text_of(other), text_of(t));
    }
    if (!t.external) {
      if (other.raw != t.raw) return difference(what, "other values", "those of the graph written");
      continue;
    }
    const Place place(other.external->location, other.external->offset);
    const auto [known, is_new] =
        moved.emplace(Place(t.external->location, t.external->offset), place);
    if (!is_new && known->second != place)
      return difference(what, "bytes of its own", "the bytes of the tensor it is shared with");
  }
  if (there.empty()) return std::nullopt;
  return difference("tensor " + in_quotes(there.begin()->first), text_of(*there.begin()->second),
                    kNothing);
}

}  // namespace

std::optional<GraphDifference> first_difference(const Model& found, const Model& expected) {
  if (found.unread != expected.unread)
    return difference("part " + in_quotes(found.unread), "there", kNothing);
  using Sets = std::span<const std::pair<std::string, std::int64_t>>;
  if (Found d = of_lists("operator set", Sets(found.operator_sets), Sets(expected.operator_sets)))
    return d;
  using Values = std::span<const ValueInfo>;
  if (Found d = of_lists("graph input", Values(found.inputs), Values(expected.inputs))) return d;
  if (Found d = of_lists("graph output", Values(found.outputs), Values(expected.outputs))) return d;
  if (Found d = zp::first_difference(found.nodes, expected.nodes)) return d;
  return of_tensors(found, expected);
}

}  // namespace zp::onnx
