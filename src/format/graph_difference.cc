#include "format/graph_difference.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>

#include "base/error.h"

namespace zp {
namespace {

using Found = std::optional<GraphDifference>;

std::string shortest(float value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::string(text.data(), end) : std::string();
}

std::string text_of(const GraphNode& node) {
  return printable(node.op) + " " + in_quotes(node.name);
}

std::string text_of(const GraphAttribute& a) {
  if (const auto* whole = std::get_if<std::int64_t>(&a.value)) return std::to_string(*whole);
  if (const auto* real = std::get_if<float>(&a.value)) return shortest(*real);
  const auto* text = std::get_if<std::string>(&a.value);
  return text != nullptr ? in_quotes(*text) : "a value of another kind";
}

// By their bits: a NaN is itself.
bool same_value(const GraphAttribute& a, const GraphAttribute& b) {
  const auto* x = std::get_if<float>(&a.value);
  const auto* y = std::get_if<float>(&b.value);
  if (x != nullptr && y != nullptr)
    return std::bit_cast<std::uint32_t>(*x) == std::bit_cast<std::uint32_t>(*y);
  return a.value == b.value;
}

Found of_names(const std::string& what, const std::vector<std::string>& found,
               const std::vector<std::string>& expected) {
  const auto compare = [](const std::string& place, const std::string& a, const std::string& b) {
    return a == b ? Found() : GraphDifference{place, in_quotes(b), in_quotes(a)};
  };
  return first_difference(what, std::span(found), std::span(expected), compare, in_quotes);
}

Found of_nodes(const std::string& what, const GraphNode& found, const GraphNode& expected) {
  if (found.op != expected.op || found.domain != expected.domain || found.name != expected.name)
    return GraphDifference{what, text_of(expected), text_of(found)};
  const std::string place = "node " + in_quotes(expected.name) + ": ";
  if (Found d = of_names(place + "input", found.inputs, expected.inputs)) return d;
  if (Found d = of_names(place + "output", found.outputs, expected.outputs)) return d;
  const auto compare = [&](const std::string&, const GraphAttribute& a, const GraphAttribute& b) {
    if (a.name != b.name)
      return Found(GraphDifference{place + "attribute", in_quotes(b.name), in_quotes(a.name)});
    return same_value(a, b)
               ? Found()
               : GraphDifference{place + "attribute " + in_quotes(a.name), text_of(b), text_of(a)};
  };
  return first_difference(place + "attribute", std::span(found.attributes),
                          std::span(expected.attributes), compare,
                          [](const GraphAttribute& a) { return text_of(a); });
}

}  // namespace

std::string in_quotes(std::string_view text) { return "\"" + printable(text) + "\""; }

std::optional<GraphDifference> first_difference(std::span<const GraphNode> found,
                                                std::span<const GraphNode> expected) {
  return first_difference("node", found, expected, of_nodes,
                          [](const GraphNode& node) { return text_of(node); });
}

}  // namespace zp
