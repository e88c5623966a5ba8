#include "container/openvino_graph.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "container/as_stored.h"
#include "container/openvino_ops.h"
#include "container/openvino_weights.h"
#include "format/cursor.h"
#include "format/graph_difference.h"

namespace zp {
namespace {

using Found = std::optional<GraphDifference>;

std::string text_of(const openvino::Constant& c) {
  std::string text = in_quotes(c.name) + " of type " + printable(c.type) + " [";
  for (const std::int64_t n : c.shape) text += (text.back() == '[' ? "" : ", ") + std::to_string(n);
  return text + "]";
}

Found of_constants(const std::string& what, const openvino::Constant& found,
                   const openvino::Constant& expected) {
  if (found.name != expected.name || found.type != expected.type || found.shape != expected.shape)
    return GraphDifference{what, text_of(expected), text_of(found)};
  if (expected.is_weight() || std::ranges::equal(found.data, expected.data)) return std::nullopt;
  return GraphDifference{what + ", " + in_quotes(found.name), "those of the graph written",
                         "other values"};
}

}  // namespace

std::vector<GraphNode> openvino_constants(const std::deque<GraphConstant>& constants,
                                          const PlaceOfConstant& place) {
  std::vector<GraphNode> nodes;
  for (const GraphConstant& c : constants)
    nodes.push_back(openvino::constant(c.name, openvino::element_type(c.type), c.shape, place(c)));
  return nodes;
}

std::string openvino_graph(const Model& model, std::span<const Assignment> assignments,
                           const PlaceOfPlane& place_of_plane,
                           const PlaceOfConstant& place_of_constant, openvino::Info info) {
  OpenVinoOps ops(model, assignments);
  std::vector<GraphNode> operations = ops.build();
  std::vector<GraphNode> nodes;
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    const std::vector<OpenVinoPlane> planes = openvino_planes(assignments[i]);
    for (std::size_t p = 0; p < planes.size(); ++p)
      nodes.push_back(openvino::constant(planes[p].name, planes[p].type, planes[p].shape,
                                         place_of_plane(i, p)));
  }
  std::ranges::move(openvino_constants(ops.constants(), place_of_constant),
                    std::back_inserter(nodes));
  std::ranges::move(operations, std::back_inserter(nodes));
  info.emplace_back(openvino::kProducer, openvino::kOwnProducer);
  return openvino::write("decoder", nodes, info);
}

void check_openvino_graph(const openvino::Graph& found, const Model& model,
                          const std::string& where) {
  std::string data;  // of the graph's own constants
  const std::string xml = openvino_graph(
      model, as_stored(model, where, openvino_accepts),
      [](std::size_t, std::size_t) { return std::int64_t{0}; },
      [&](const GraphConstant& c) {
        data += c.bytes;
        return std::ssize(data) - std::ssize(c.bytes);
      });
  openvino::Graph expected = openvino::read(std::as_bytes(std::span(xml)), where);
  for (openvino::Constant& c : expected.constants) {
    if (!c.is_weight())
      c.data = std::as_bytes(std::span(data))
                   .subspan(static_cast<std::size_t>(c.offset), static_cast<std::size_t>(c.bytes));
  }
  Found d = first_difference("constant", std::span(std::as_const(found.constants)),
                             std::span(std::as_const(expected.constants)), of_constants, text_of);
  if (!d) d = first_difference(found.nodes, expected.nodes);
  if (d)
    throw Error(where, "the graph doesn't compute what config.json says: " + d->what,
                std::move(d->expected), std::move(d->found));
}

}  // namespace zp
