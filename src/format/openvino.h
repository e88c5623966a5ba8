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
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/view.h"
#include "format/graph.h"
#include "tensor/dtype.h"

namespace zp::openvino {

/// What graphs call it: "f32", "i64".
std::string_view element_type(DType dtype);
/// The way back; nullopt for types of which no array of ours is.
std::optional<DType> dtype_of(std::string_view element_type);

/// The node of a constant, whose bytes lie at `offset` of the second file. type: of elements.
GraphNode constant(std::string name, std::string_view type, std::span<const std::int64_t> shape,
                   std::int64_t offset);

/// What is said of a graph as a whole, by name; names "A/B" that follow each other are in one
/// element A.
using Info = std::vector<std::pair<std::string, std::string>>;

/// The XML file. nodes: each behind those whose values it takes, of operators this file's writer
/// knows; values keep their names as those of tensors.
std::string write(std::string_view name, std::span<const GraphNode> nodes, const Info& info = {});

/// What `info` of graphs written here says under kProducer.
inline constexpr std::string_view kProducer = "producer";
inline constexpr std::string_view kOwnProducer = "zeropoint";

/// Bits of an element of that type; 0: unknown.
std::int64_t element_bits(std::string_view type);

struct Constant {
  std::string name;
  std::string type;  ///< of elements
  std::vector<std::int64_t> shape;
  std::int64_t offset = 0;  ///< in the second file
  std::int64_t bytes = 0;   ///< as many as its elements take
  Bytes data = {};          ///< these, once whoever has the second file has put them here

  /// Whether a graph written here has it from the model: such names are paths.
  bool is_weight() const { return name.find('.') != std::string::npos; }
};

/// A graph as read. Attributes are texts; values have the names of their tensors, or "LAYER:PORT".
struct Graph {
  std::string producer;
  std::vector<Constant> constants;
  std::vector<GraphNode> nodes;  ///< the others, in the order of the file
};

/// Whether these are the first bytes of such an XML file.
bool recognizes(Bytes file);

/// Reads the XML file. What only describes (shapes and precisions of ports, information for tools) is
/// left aside. Throws Error at `where`.
Graph read(Bytes xml, const std::string& where);

}  // namespace zp::openvino
