#include "format/onnx_difference.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "base/error.h"

namespace zp::onnx {
namespace {

using Found = std::optional<Difference>;

constexpr const char* kNothing = "none";

std::string quoted(std::string_view text) { return "\"" + printable(text) + "\""; }

std::string shortest(float value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::string(text.data(), end) : std::string();
}

std::string text_of(const std::string& value) { return quoted(value); }
std::string text_of(const GraphNode& node) { return printable(node.op) + " " + quoted(node.name); }
std::string text_of(const std::pair<std::string, std::int64_t>& set) {
  return quoted(set.first) + " " + std::to_string(set.second);
}
std::string text_of(const GraphAttribute& a) {
  if (const auto* whole = std::get_if<std::int64_t>(&a.value)) return std::to_string(*whole);
  if (const auto* real = std::get_if<float>(&a.value)) return shortest(*real);
  const auto* text = std::get_if<std::string>(&a.value);
  return text != nullptr ? quoted(*text) : "a value of another kind";
}
std::string text_of(const ValueInfo& value) {
  std::string text = quoted(value.name) + " of type " +
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
  return Difference{std::move(what), expected, found};
}

// The first place where two lists aren't the same, each element compared by `compare(what, a, b)`.
template <class T, class Compare>
Found of_lists(const std::string& what, std::span<const T> found, std::span<const T> expected,
               const Compare& compare) {
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    if (Found d = compare(what + " " + std::to_string(i), found[i], expected[i])) return d;
  }
  if (found.size() > expected.size())
    return difference(what + " " + std::to_string(expected.size()), text_of(found[expected.size()]),
                      kNothing);
  if (found.size() < expected.size())
    return difference(what + " " + std::to_string(found.size()), kNothing,
                      text_of(expected[found.size()]));
  return std::nullopt;
}

constexpr auto kWhole = [](const std::string& what, const auto& found, const auto& expected) {
  return found == expected ? Found() : difference(what, text_of(found), text_of(expected));
};

// By their bits: a NaN is itself.
bool same_value(const GraphAttribute& a, const GraphAttribute& b) {
  const auto* x = std::get_if<float>(&a.value);
  const auto* y = std::get_if<float>(&b.value);
  if (x != nullptr && y != nullptr)
    return std::bit_cast<std::uint32_t>(*x) == std::bit_cast<std::uint32_t>(*y);
  return a.value == b.value;
}

Found of_nodes(const std::string& what, const GraphNode& found, const GraphNode& expected) {
  if (found.op != expected.op || found.domain != expected.domain || found.name != expected.name)
    return difference(what, text_of(found), text_of(expected));
  const std::string place = "node " + quoted(expected.name) + ": ";
  using Names = std::span<const std::string>;
  if (Found d = of_lists(place + "input", Names(found.inputs), Names(expected.inputs), kWhole))
    return d;
  if (Found d = of_lists(place + "output", Names(found.outputs), Names(expected.outputs), kWhole))
    return d;
  const auto attributes = [&](const std::string&, const GraphAttribute& a,
                              const GraphAttribute& b) {
    if (a.name != b.name) return difference(place + "attribute", quoted(a.name), quoted(b.name));
    return same_value(a, b)
               ? Found()
               : difference(place + "attribute " + quoted(a.name), text_of(a), text_of(b));
  };
  return of_lists(place + "attribute", std::span(found.attributes), std::span(expected.attributes),
                  attributes);
}

using Place = std::pair<std::string_view, std::int64_t>;

Found of_tensors(const Model& found, const Model& expected) {
  std::map<std::string_view, const Initializer*> there;
  for (const Initializer& t : found.initializers) {
    if (!there.emplace(t.name, &t).second)
      return difference("tensor " + quoted(t.name), "two", "one");
  }
  std::map<Place, Place> moved;
  for (const Initializer& t : expected.initializers) {
    const std::string what = "tensor " + quoted(t.name);
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
  return difference("tensor " + quoted(there.begin()->first), text_of(*there.begin()->second),
                    kNothing);
}

}  // namespace

std::optional<Difference> first_difference(const Model& found, const Model& expected) {
  if (found.unread != expected.unread)
    return difference("part " + quoted(found.unread), "there", kNothing);
  using Sets = std::span<const std::pair<std::string, std::int64_t>>;
  if (Found d =
          of_lists("operator set", Sets(found.operator_sets), Sets(expected.operator_sets), kWhole))
    return d;
  if (Found d =
          of_lists("graph input", std::span(found.inputs), std::span(expected.inputs), kWhole))
    return d;
  if (Found d =
          of_lists("graph output", std::span(found.outputs), std::span(expected.outputs), kWhole))
    return d;
  if (Found d = of_lists("node", std::span(found.nodes), std::span(expected.nodes), of_nodes))
    return d;
  return of_tensors(found, expected);
}

}  // namespace zp::onnx
