// Nodes and small constants appended to an ONNX graph.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/onnx.h"

namespace zp {

/// Of ONNX Runtime's own operators.
inline constexpr std::string_view kOnnxRuntimeDomain = "com.microsoft";

/// The graph borrows the constants' bytes from here.
class OnnxNodes {
 public:
  using Names = std::vector<std::string>;
  using Attributes = std::vector<onnx::Attribute>;

  explicit OnnxNodes(onnx::Model& graph) : graph_(graph) {}

  /// Appends a node with one output and returns its name.
  std::string node(std::string_view op, Names inputs, Attributes attributes = {});
  /// One of ONNX Runtime's own.
  std::string own_node(std::string_view op, Names inputs, Attributes attributes = {});
  /// The same of weights alone; such nodes come first.
  std::string weight_node(std::string_view op, Names inputs, Attributes attributes = {});
  /// For a further output of a node.
  std::string new_name(std::string_view op);

  // Names of constants; equal ones are one.
  std::string constant(onnx::Type type, std::vector<std::int64_t> shape, std::string bytes);
  std::string whole(std::int64_t value);  ///< a scalar
  std::string wholes(const std::vector<std::int64_t>& values);
  std::string real(float value);  ///< a scalar
  std::string reals(const std::vector<float>& values);

  std::string to_type(onnx::Type type, std::string value);
  std::string reshape(std::string value, const std::vector<std::int64_t>& shape);
  /// Puts the nodes of weights in front of all others.
  void finish();
  onnx::Model& graph() { return graph_; }

 private:
  onnx::Model& graph_;
  std::deque<std::string> constants_;
  std::unordered_map<std::string, std::string> known_;  // constants, by type, rank and bytes
  std::vector<onnx::Node> weight_nodes_;
  std::size_t names_ = 0;
};

}  // namespace zp
