#include "container/onnx_graph.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "container/as_stored.h"
#include "format/onnx_difference.h"

namespace zp {
namespace {

onnx::Initializer external(const OnnxPlane& plane, onnx::External place) {
  return {plane.name, plane.type, plane.shape, {}, std::move(place)};
}

// One node computes all experts of a layer.
void check_experts(std::span<const Assignment> assignments) {
  std::map<std::int64_t, const Assignment*> first;  // of each layer
  for (const Assignment& a : assignments) {
    if (a.weight->use.experts == 0 || !a.weight->use.is_matrix()) continue;
    const auto found = first.try_emplace(a.weight->use.place.layer, &a).first;
    const std::string& spec = found->second->grid->spec();
    if (spec != a.grid->spec())
      throw Error("onnx, tensor \"" + a.weight->use.hf + "\"",
                  "experts of one layer on different grids",
                  spec + " as others have: `set` gate,up,down to one", a.grid->spec());
  }
}

// What the first product by codes says: both of our levels are read.
std::int64_t accuracy_level_of(const onnx::Model& graph) {
  const auto product = std::ranges::find(graph.nodes, "MatMulNBits", &GraphNode::op);
  if (product == graph.nodes.end()) return kOnnxExact;
  const std::int64_t level = integer_of(*product, "accuracy_level", kOnnxExact);
  return level == kOnnxRounded ? kOnnxRounded : kOnnxExact;
}

}  // namespace

OnnxGraph::OnnxGraph(const Model& model, std::span<const Assignment> assignments,
                     std::int64_t accuracy_level, const Places& places)
    : ops_(model, assignments, accuracy_level, graph_) {
  graph_.producer = onnx::kOwnProducer;
  graph_.operator_sets = {{"", 21}, {std::string(kOnnxRuntimeDomain), 1}};
  graph_.graph_name = "decoder";
  check_experts(assignments);
  ops_.build();
  std::unordered_set<std::string> known;  // experts' planes are one tensor
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    const std::vector<OnnxPlane> planes = onnx_planes(assignments[i]);
    for (std::size_t p = 0; p < planes.size(); ++p) {
      if (!known.insert(planes[p].name).second) continue;
      graph_.initializers.push_back(external(planes[p], places(i, p)));
      if (p == 0 && assignments[i].weight->use.place.role == Role::embedding && ops_.tied_codes())
        graph_.initializers.push_back(external(onnx_head_codes(assignments[i]), places(i, p)));
    }
  }
}

void check_onnx_graph(const onnx::Model& found, const Model& model, const std::string& where) {
  const std::vector<Assignment> assignments = as_stored(model, where, onnx_accepts);
  constexpr std::size_t kPlanes = 4;  // at most, of a grid
  const OnnxGraph expected(
      model, assignments, accuracy_level_of(found), [](std::size_t weight, std::size_t plane) {
        return onnx::External{{}, static_cast<std::int64_t>(weight * kPlanes + plane), {}};
      });
  if (auto d = onnx::first_difference(found, expected.model())) {
    throw Error(where, "the graph doesn't compute what config.json says: " + d->what,
                std::move(d->expected), std::move(d->found));
  }
}

}  // namespace zp
