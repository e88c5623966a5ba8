// Nodes of a graph over named values, as the formats have them that write a network down as one.
//
// A value is made by one node and read under its name, so edges are names alone. What a format adds
// (element types, where tensors lie, ports and their numbers) is its own file's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace zp {

struct GraphAttribute {
  std::string name;
  std::variant<std::monostate, std::int64_t, float, std::string> value;  ///< monostate: not kept
  bool operator==(const GraphAttribute&) const = default;
};

struct GraphNode {
  std::string op;
  std::string domain;  ///< whose operator it is; empty: the format's own
  std::string name;
  std::vector<std::string> inputs;  ///< an empty name: left out
  std::vector<std::string> outputs;
  std::vector<GraphAttribute> attributes;
  bool operator==(const GraphNode&) const = default;
};

/// The node's whole number of that name, or `otherwise`.
std::int64_t integer_of(const GraphNode& node, std::string_view name, std::int64_t otherwise);

}  // namespace zp
