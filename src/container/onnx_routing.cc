#include "container/onnx_routing.h"

#include <limits>
#include <numeric>
#include <vector>

namespace zp {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

class Routes {
 public:
  Routes(GraphBuilder& graph, const Experts& experts) : graph_(graph), experts_(experts) {}

  std::string by_softmax(const std::string& scores) {
    if (!experts_.renormalized) {
      const Highest chosen = highest(scores, experts_.chosen);
      return spread(gathered(softmax(scores), chosen.places), chosen.places, scores);
    }
    const Highest chosen = highest(scores, experts_.chosen);
    return spread(softmax(chosen.values), chosen.places, scores);
  }

  std::string by_sigmoid(const std::string& scores, const std::string& correction) {
    const std::string sigmoids = graph_.node("Sigmoid", {scores});
    std::string corrected = sigmoids;
    if (!correction.empty()) corrected = graph_.node("Add", {sigmoids, correction});
    if (experts_.groups > 1) corrected = of_the_best_groups(corrected);
    const Highest chosen = highest(corrected, experts_.chosen);
    std::string weights = gathered(sigmoids, chosen.places);
    if (experts_.renormalized) {
      const std::string sum = graph_.node("Add", {summed(weights), graph_.real(1e-20f)});
      weights = graph_.node("Div", {weights, sum});
    }
    return spread(weights, chosen.places, scores);
  }

  // One expert after the other.
  std::string by_mixer(const std::string& scores) {
    const std::string sizes = graph_.node("Abs", {scores});
    std::string left = scores;
    std::string weights;
    for (std::int64_t n = 0; n < experts_.chosen; ++n) {
      const Highest best = highest(left, 1);
      const std::string& top = best.values;
      const std::string distance =
          graph_.node("Div", {graph_.node("Sub", {top, scores}), graph_.node("Max", {sizes, top})});
      const auto noise = static_cast<float>(2 * experts_.noise);
      const std::string far = graph_.node("Greater", {distance, graph_.real(noise)});
      const std::string near = graph_.node("Where", {far, graph_.real(kNever), left});
      const std::string shares = graph_.node("Exp", {graph_.node("Sub", {near, top})});
      const std::string weight = graph_.node("Reciprocal", {summed(shares)});
      const std::string alone = spread(weight, best.places, scores);
      weights = weights.empty() ? alone : graph_.node("Add", {weights, alone});
      const std::string taken = graph_.node("Equal", {places(), best.places});
      left = graph_.node("Where", {taken, graph_.real(kNever), left});
    }
    return weights;
  }

 private:
  /// Of equal ones the first.
  struct Highest {
    std::string values;
    std::string places;
  };
  Highest highest(const std::string& of, std::int64_t count) {
    const std::string values = graph_.node("TopK", {of, graph_.wholes({count})});
    const std::string places = graph_.new_name("TopK");
    graph_.nodes().back().outputs.push_back(places);
    return {values, places};
  }

  std::string softmax(const std::string& x) { return graph_.node("Softmax", {x}); }
  std::string summed(const std::string& x) {
    return graph_.node("ReduceSum", {x, graph_.wholes({-1})}, {{"keepdims", std::int64_t{1}}});
  }
  std::string gathered(const std::string& x, const std::string& places) {
    return graph_.node("GatherElements", {x, places}, {{"axis", std::int64_t{-1}}});
  }
  // As wide as `like`, 0 elsewhere.
  std::string spread(const std::string& values, const std::string& places,
                     const std::string& like) {
    const std::string zeros = graph_.node("ConstantOfShape", {graph_.node("Shape", {like})});
    return graph_.node("ScatterElements", {zeros, places, values}, {{"axis", std::int64_t{-1}}});
  }
  std::string places() {
    std::vector<std::int64_t> all(static_cast<std::size_t>(experts_.count));
    std::iota(all.begin(), all.end(), 0);
    return graph_.wholes(all);
  }

  // Others can't be chosen. The two highest of a group speak for it.
  std::string of_the_best_groups(const std::string& scores) {
    const std::string grouped =
        graph_.node("Reshape", {scores, graph_.wholes({0, 0, experts_.groups, -1})});
    const std::string sums =
        graph_.node("ReduceSum", {highest(grouped, 2).values, graph_.wholes({-1})},
                    {{"keepdims", std::int64_t{0}}});
    const Highest best = highest(sums, experts_.used_groups);
    const std::string ones =
        graph_.node("Expand", {graph_.real(1), graph_.node("Shape", {best.places})});
    const std::string used =
        graph_.node("Unsqueeze", {spread(ones, best.places, sums), graph_.wholes({-1})});
    const std::string in_use = graph_.node("Greater", {used, graph_.real(0)});
    const std::string left = graph_.node("Where", {in_use, grouped, graph_.real(kNever)});
    return graph_.node("Reshape", {left, graph_.wholes({0, 0, experts_.count})});
  }

  GraphBuilder& graph_;
  const Experts& experts_;
};

std::string chosen(GraphBuilder& graph, const std::string& scores, const std::string& correction,
                   const Experts& experts) {
  Routes routes(graph, experts);
  switch (experts.routing) {
    case Routing::softmax:
      return routes.by_softmax(scores);
    case Routing::sigmoid:
      return routes.by_sigmoid(scores, correction);
    case Routing::sparsemixer:
      break;
  }
  return routes.by_mixer(scores);
}

}  // namespace

std::string routing_nodes(GraphBuilder& graph, const std::string& scores,
                          const std::string& correction, const Experts& experts) {
  std::string weights = chosen(graph, scores, correction, experts);
  if (experts.scale == 1) return weights;
  return graph.node("Mul", {weights, graph.real(static_cast<float>(experts.scale))});
}

}  // namespace zp
