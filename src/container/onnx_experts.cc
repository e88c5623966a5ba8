// Experts in ONNX graphs: all of a layer are one node of ONNX Runtime's own, which takes the weights
// of routing_nodes(). With codes it is QMoE, with floats MoE. Of SwiGLU both have
// down(g sigmoid(alpha g) (u + beta)), rows of gate and up by turns, and that alone.
#include <limits>

#include "base/error.h"
#include "container/onnx_ops.h"
#include "container/onnx_routing.h"
#include "model/config_writer.h"

namespace zp {
namespace {

GraphBuilder::Attributes swiglu(const Experts& experts) {
  return {{"k", experts.chosen},
          {"activation_type", std::string("swiglu")},
          {"swiglu_fusion", std::int64_t{1}},
          {"activation_alpha", 1.0f},
          {"activation_beta", 0.0f},
          {"normalize_routing_weights", std::int64_t{0}}};
}

}  // namespace

OnnxOps::Value OnnxOps::route(const Value& scores, Place place) {
  const bool corrected = find(place, Part::bias) != nullptr;
  const std::string correction = corrected ? vector(place, Part::bias) : std::string();
  return {routing_nodes(*this, scores.name, correction, decoder_.experts), scores.width};
}

// What lies between here and combine() is one node: until then a value keeps what goes into it.
OnnxOps::Value OnnxOps::dispatch(const Value& x, const Value&) {
  return {{}, x.width, Value::Sent{-1, x.name}};
}
OnnxOps::Value OnnxOps::expert_linear(const Value& x, const Value&, Place place) {
  return {{}, x.width, Value::Sent{place.layer, x.sent->from}};
}

void OnnxOps::check_activation_of_experts(Activation activation) {
  if (activation == Activation::silu) return;
  throw Error("onnx", "experts of another activation are not written for this runtime", "silu",
              std::string(activation_word(activation)));
}

OnnxOps::Value OnnxOps::combine(const Value& x, const Value& routes, Place) {
  const std::string& from = x.sent->from;
  const Assignment& gate = at({x.sent->layer, Role::gate, 0});
  const Assignment& down = at({x.sent->layer, Role::down, 0});
  const std::string weights = reshape(routes.name, {-1, decoder_.experts.count});
  if (const AffineForm* form = onnx_form(*gate.grid))
    return {coded_experts(from, weights, gate, down, *form), decoder_.hidden};
  // MoE weights its experts by a softmax. Of logarithms it gives what they are of, divided by the
  // sum. What isn't chosen has a small weight rather than none.
  const std::string least = real(std::numeric_limits<float>::min());
  const std::string logarithms = node("Log", {node("Max", {weights, least})});
  const std::string sum =
      node("ReduceSum", {routes.name, wholes({-1})}, {{"keepdims", std::int64_t{1}}});
  const std::string shares =
      own_node("MoE", {from, logarithms, plane_as_floats(gate, 0), "", plane_as_floats(down, 0)},
               swiglu(decoder_.experts));
  // ONNX Runtime (1.31) may give MoE's result the room of what it reads, and clears that first. Not
  // where its input is read again behind it; no sum is below 0.
  const std::string always = node("GreaterOrEqual", {sum, real(0)});
  return {node("Where", {always, node("Mul", {shares, sum}), from}), decoder_.hidden};
}

std::string OnnxOps::coded_experts(const std::string& x, const std::string& weights,
                                   const Assignment& gate, const Assignment& down,
                                   const AffineForm& form) {
  const std::vector<OnnxPlane> first = onnx_planes(gate);
  const std::vector<OnnxPlane> second = onnx_planes(down);
  const bool zeros = first.size() > 2;
  const std::string none;
  // Codes, scales and biases of the two matrices and of a third, zero-points of all three.
  const Names inputs = {x,
                        weights,
                        first[0].name,
                        plane_as_floats(gate, 1),
                        none,
                        second[0].name,
                        plane_as_floats(down, 1),
                        none,
                        none,
                        none,
                        none,
                        zeros ? first[2].name : none,
                        zeros ? second[2].name : none,
                        none,
                        weights};
  Attributes attributes = swiglu(decoder_.experts);
  attributes.push_back({"expert_weight_bits", std::int64_t{form.bits}});
  attributes.push_back({"block_size", form.group});
  return own_node("QMoE", inputs, std::move(attributes));
}

}  // namespace zp
