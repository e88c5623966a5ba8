// A graph being written: nodes, names of values, and small constants, of which equal ones are one.
//
// It knows no format: operators are words, and a constant's type is a DType. The writer of a format
// derives from it, says which operators make up a step of the network, and turns what has come
// together into its own file.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/graph.h"
#include "tensor/dtype.h"

namespace zp {

struct GraphConstant {
  std::string name;
  DType type;
  std::vector<std::int64_t> shape;
  std::string bytes;  ///< little-endian elements
};

class GraphBuilder {
 public:
  using Names = std::vector<std::string>;
  using Attributes = std::vector<GraphAttribute>;

  /// Appends a node with one output and returns its name.
  std::string node(std::string_view op, Names inputs, Attributes attributes = {},
                   std::string_view domain = {});
  /// The same of weights alone; such nodes come first.
  std::string weight_node(std::string_view op, Names inputs, Attributes attributes = {});
  /// For a further output of a node.
  std::string new_name(std::string_view op);

  // Names of constants.
  std::string constant(DType type, std::vector<std::int64_t> shape, std::string bytes);
  std::string whole(std::int64_t value);  ///< a scalar
  std::string wholes(const std::vector<std::int64_t>& values);
  std::string real(float value);  ///< a scalar
  std::string reals(const std::vector<float>& values);

  /// Those so far that aren't of weights alone, in the order they came: to be changed by whoever makes
  /// one operator of several.
  std::vector<GraphNode>& nodes() { return nodes_; }
  /// All nodes, each behind those whose values it takes. REQUIRES: the graph is whole; call once.
  std::vector<GraphNode> take_nodes();
  /// In the order they came. Addresses stay.
  const std::deque<GraphConstant>& constants() const { return constants_; }

 private:
  std::vector<GraphNode> nodes_;
  std::vector<GraphNode> weight_nodes_;
  std::deque<GraphConstant> constants_;
  std::unordered_map<std::string, std::string> known_;  // constants, by type, rank and bytes
  std::size_t names_ = 0;
};

}  // namespace zp
