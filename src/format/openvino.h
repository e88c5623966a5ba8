// OpenVINO's intermediate representation, version 11: a graph as XML, whose constants lie in a
// second file. Source: openvino src/core/src/pass/serialize.cpp, src/core/xml_util.
//
// A node is a layer: an operator of one of OpenVINO's sets, or of openvino_tokenizers' ("extension"),
// its attributes, inputs and outputs. Parameters and constants are nodes, too:
//
//   Parameter   element_type, shape ("?,?": known when the graph runs)
//   Const       element_type, shape, and offset and size of its bytes in the second file
//
// Shapes between nodes aren't written: readers infer them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/graph.h"
#include "tensor/dtype.h"

namespace zp::openvino {

/// What graphs call it: "f32", "i64".
std::string_view element_type(DType dtype);

/// The node of a constant, whose `bytes` lie at `offset` of the second file. type: of elements.
GraphNode constant(std::string name, std::string_view type, std::span<const std::int64_t> shape,
                   std::int64_t offset, std::int64_t bytes);

/// What is said of a graph as a whole, by name.
using Info = std::vector<std::pair<std::string, std::string>>;

/// The XML file. nodes: each behind those whose values it takes, of operators this file's writer
/// knows; values keep their names as those of tensors.
std::string write(std::string_view name, std::span<const GraphNode> nodes, const Info& info = {});

}  // namespace zp::openvino
