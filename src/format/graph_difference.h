// Where two graphs first differ in what they compute.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "format/graph.h"

namespace zp {

/// As an Error says it.
struct GraphDifference {
  std::string what;  ///< "node \"Div_5\": input 1"
  std::string expected;
  std::string found;

  static constexpr const char* kNothing = "none";
};

/// As messages show it.
std::string in_quotes(std::string_view text);

/// The first place where two lists aren't the same, each element compared by `compare(what, a, b)`;
/// show(element): what is said of one that has no counterpart.
template <class T, class Compare, class Show>
std::optional<GraphDifference> first_difference(const std::string& what, std::span<const T> found,
                                                std::span<const T> expected, const Compare& compare,
                                                const Show& show) {
  const std::size_t both = std::min(found.size(), expected.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (auto d = compare(what + " " + std::to_string(i), found[i], expected[i])) return d;
  }
  if (found.size() == expected.size()) return std::nullopt;
  const auto of = [&](std::span<const T> list) {
    return both < list.size() ? show(list[both]) : std::string(GraphDifference::kNothing);
  };
  return GraphDifference{what + " " + std::to_string(both), of(expected), of(found)};
}

/// Nodes are compared in their order, with their names and those of values. nullopt: none.
std::optional<GraphDifference> first_difference(std::span<const GraphNode> found,
                                                std::span<const GraphNode> expected);

}  // namespace zp
