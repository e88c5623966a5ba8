// Where two ONNX graphs first differ in what they compute.
#pragma once

#include <optional>

#include "format/graph_difference.h"
#include "format/onnx.h"

namespace zp::onnx {

/// Nodes, inputs and outputs are compared in their order, tensors by name: type, shape, and bytes
/// where these are in the graph. Of external bytes the places may be others, but what is one place
/// in `expected` must be one in `found`. nullopt: none.
std::optional<GraphDifference> first_difference(const Model& found, const Model& expected);

}  // namespace zp::onnx
