#include "container/openvino_ops.h"

#include <cmath>

#include "base/error.h"
#include "container/openvino_weights.h"
#include "model/interpreter.h"
#include "model/rotary.h"

namespace zp {
namespace {

constexpr std::string_view kIds = "input_ids";
constexpr std::string_view kMask = "attention_mask";
constexpr std::string_view kPositions = "position_ids";
constexpr std::string_view kBeam = "beam_idx";
constexpr std::string_view kLogits = "logits";

// What is added to the scores of tokens that aren't seen: the lowest FP16, which every type that a
// device computes in holds, and whose exponential beside any other score is 0. Were it infinite, a
// row that sees nothing would be no number.
constexpr float kUnseen = -65504;
constexpr std::int64_t kToTheEnd = 0x7FFFFFFF;  // as the runtime's patterns have it

GraphAttribute text(std::string name, std::string_view value) {
  return {std::move(name), std::string(value)};
}
GraphAttribute flag(std::string name, bool value) {
  return text(std::move(name), value ? "true" : "false");
}

}  // namespace

OpenVinoOps::OpenVinoOps(const Model& model, std::span<const Assignment> assignments)
    : model_(model), decoder_(model.decoder) {
  for (const Assignment& a : assignments) {
    const TensorUse& use = a.weight->use;
    weights_[{use.place, use.part}] = &a;
  }
}

// ---- the graph

std::vector<GraphNode> OpenVinoOps::build() {
  parameter(kIds, "i64", "?,?");
  parameter(kMask, "i64", "?,?");
  parameter(kPositions, "i64", "?,?");
  parameter(kBeam, "i32", "?");
  const Network network = record(model_);
  const ValueId logits = network.logits();
  Interpreter(network, *this).run({}, {&logits, 1});
  nodes().back().outputs[0] = kLogits;
  sink("Result", std::string(kLogits), {});
  return take_nodes();
}

void OpenVinoOps::parameter(std::string_view name, std::string_view type, std::string_view shape) {
  nodes().push_back({"Parameter",
                     {},
                     std::string(name),
                     {},
                     {std::string(name)},
                     {text("shape", shape), text("element_type", type)}});
}

// A node without an output.
void OpenVinoOps::sink(std::string_view op, std::string value, Attributes attributes) {
  node(op, {std::move(value)}, std::move(attributes));
  nodes().back().outputs.clear();
}

std::string OpenVinoOps::binary(std::string_view op, std::string x, std::string y) {
  return node(op, {std::move(x), std::move(y)}, {text("auto_broadcast", "numpy")});
}

std::string OpenVinoOps::convert(std::string value, std::string_view type) {
  return node("Convert", {std::move(value)}, {text("destination_type", type)});
}

// 0 in the shape: as it is.
std::string OpenVinoOps::reshape(std::string value, const std::vector<std::int64_t>& shape) {
  return node("Reshape", {std::move(value), wholes(shape)}, {flag("special_zero", true)});
}

std::string OpenVinoOps::unsqueeze(std::string value, const std::vector<std::int64_t>& axes) {
  return node("Unsqueeze", {std::move(value), wholes(axes)});
}

std::string OpenVinoOps::concat(Names values, std::int64_t axis) {
  return node("Concat", std::move(values), {{"axis", axis}});
}

std::string OpenVinoOps::part(std::string value, std::int64_t begin, std::int64_t end,
                              std::int64_t axis) {
  return node("Slice",
              {std::move(value), wholes({begin}), wholes({end}), wholes({1}), wholes({axis})});
}

std::string OpenVinoOps::size(std::string_view value, std::int64_t axis) {
  const std::string shape = node("ShapeOf", {std::string(value)}, {text("output_type", "i64")});
  return node("Gather", {shape, whole(axis), whole(0)}, {{"batch_dims", std::int64_t{0}}});
}

std::string OpenVinoOps::capped(std::string x, double cap) {
  const std::string factor = real(static_cast<float>(cap));
  return binary("Multiply", node("Tanh", {binary("Divide", std::move(x), factor)}), factor);
}

// ---- weights

const Assignment* OpenVinoOps::find(Place place, Part part) const {
  const auto found = weights_.find({place, part});
  return found == weights_.end() ? nullptr : found->second;
}

// What the weight's constants stand for: the runtime reads this pattern, and computes with codes.
std::string OpenVinoOps::floats(const Assignment& weight) {
  std::string& name = floats_[&weight];
  if (!name.empty()) return name;
  const auto as_floats = [&](const OpenVinoPlane& plane) {
    if (plane.type == "f32") return plane.name;
    return weight_node("Convert", {plane.name}, {text("destination_type", "f32")});
  };
  const auto both = [&](std::string_view op, std::string x, std::string y) {
    return weight_node(op, {std::move(x), std::move(y)}, {text("auto_broadcast", "numpy")});
  };
  const std::vector<OpenVinoPlane> planes = openvino_planes(weight);
  name = as_floats(planes[0]);
  if (planes.size() > 2) name = both("Subtract", name, as_floats(planes[2]));
  if (planes.size() > 1) name = both("Multiply", name, as_floats(planes[1]));
  if (planes[0].shape.size() > 2) {
    const TensorUse& use = weight.weight->use;
    name =
        weight_node("Reshape", {name, wholes({use.rows, use.cols})}, {flag("special_zero", false)});
  }
  return name;
}

std::string OpenVinoOps::vector(Place place, Part part) { return floats(*find(place, part)); }

std::string OpenVinoOps::looked_up(Role role, std::string_view indices) {
  return node("Gather", {vector({-1, role}, Part::weight), std::string(indices), whole(0)},
              {{"batch_dims", std::int64_t{0}}});
}

// ---- operations

OpenVinoOps::Value OpenVinoOps::embed(Place place) {
  return {looked_up(place.role, kIds), find(place, Part::weight)->weight->use.cols};
}

OpenVinoOps::Value OpenVinoOps::add_positions(const Value& x) {
  return {binary("Add", x.name, looked_up(Role::position, kPositions)), x.width};
}

OpenVinoOps::Value OpenVinoOps::scale(const Value& x, double factor) {
  return {binary("Multiply", x.name, real(static_cast<float>(factor))), x.width};
}

OpenVinoOps::Value OpenVinoOps::temper(const Value& x) {
  const auto beta = static_cast<float>(decoder_.query_beta);
  const auto length = static_cast<float>(decoder_.query_length);
  const std::string rounds = node("Floor", {binary("Divide", positions(), real(length))});
  const std::string log = node("Log", {binary("Add", rounds, real(1))});
  const std::string factor = binary("Add", binary("Multiply", log, real(beta)), real(1));
  const std::string beside = x.by_head ? unsqueeze(factor, {1, 3}) : unsqueeze(factor, {2});
  return {binary("Multiply", x.name, beside), x.width, x.by_head};
}

std::string OpenVinoOps::normed(const std::string& x, Place place) {
  const auto epsilon = static_cast<float>(decoder_.norm_epsilon);
  std::string gamma = vector(place, Part::weight);
  if (decoder_.norm_plus_one)
    gamma = weight_node("Add", {gamma, real(1)}, {text("auto_broadcast", "numpy")});
  if (decoder_.norm == Norm::layer) {
    const std::string centred =
        node("MVN", {x, wholes({-1})},
             {{"eps", epsilon}, flag("normalize_variance", true), text("eps_mode", "inside_sqrt")});
    return binary("Add", binary("Multiply", centred, gamma), vector(place, Part::bias));
  }
  const std::string squares = binary("Power", x, real(2));
  const std::string mean = node("ReduceMean", {squares, wholes({-1})}, {flag("keep_dims", true)});
  const std::string size = node("Sqrt", {binary("Add", mean, real(epsilon))});
  return binary("Multiply", binary("Multiply", x, binary("Divide", real(1), size)), gamma);
}

OpenVinoOps::Value OpenVinoOps::norm(const Value& x, Place place) {
  return {normed(flat(x).name, place), x.width};
}

OpenVinoOps::Value OpenVinoOps::norm_heads(const Value& x, Place place) {
  const Value heads = by_head(x);
  return {normed(heads.name, place), x.width, true};
}

OpenVinoOps::Value OpenVinoOps::linear(const Value& x, Place place) {
  const Assignment& weight = *find(place, Part::weight);
  std::string y = node("MatMul", {x.name, floats(weight)},
                       {flag("transpose_a", false), flag("transpose_b", true)});
  if (find(place, Part::bias) != nullptr) y = binary("Add", y, vector(place, Part::bias));
  return {std::move(y), weight.weight->use.rows};
}

// The runtime has a form of experts, tiled over all tokens, of which it makes products of those chosen
// (ConvertTiledMoeBlockToGatherMatmuls). On processors with AVX2 alone 2026.4.1 computes that form as
// it stands: every expert for every token, by weights that it makes FP32 of while it loads.
OpenVinoOps::Value OpenVinoOps::route(const Value&, Place) {
  throw Error("openvino", "experts are not written for this runtime", "gguf, mlx or hf");
}
OpenVinoOps::Value OpenVinoOps::dispatch(const Value& x, const Value&) { return x; }
OpenVinoOps::Value OpenVinoOps::expert_linear(const Value& x, const Value&, Place) { return x; }
OpenVinoOps::Value OpenVinoOps::combine(const Value& x, const Value&, Place) { return x; }
OpenVinoOps::Value OpenVinoOps::clamp(const Value&, double, double) {
  throw Error("openvino", "limits of values are not written for this runtime", "gguf, mlx or hf");
}
OpenVinoOps::Value OpenVinoOps::convolve(const Value&, Place) {
  throw Error("openvino", "short convolutions are not written for this runtime", "gguf, mlx or hf");
}
OpenVinoOps::Value OpenVinoOps::norm_values(const Value&, std::int64_t) {
  throw Error("openvino", "norms of values are not written for this runtime", "gguf, mlx or hf");
}
// Where values are normed.
OpenVinoOps::Value OpenVinoOps::scale_by(const Value& x, Place) { return x; }
OpenVinoOps::Value OpenVinoOps::part(const Value&, std::span<const std::int64_t>) {
  throw Error("openvino", "parted heads are not written for this runtime", "gguf, mlx or hf");
}
// Behind a convolution.
OpenVinoOps::Value OpenVinoOps::scan(const Value& x, const Value&, Place) { return x; }
// Behind parted heads.
OpenVinoOps::Value OpenVinoOps::share(const Value& x, const Value&, std::int64_t) { return x; }
// Behind a convolution.
OpenVinoOps::Value OpenVinoOps::delta(const Value& qkv, const Value&, const Value&, Place) {
  return qkv;
}
OpenVinoOps::Value OpenVinoOps::weigh(const Value&, const Value&) {
  throw Error("openvino", "an MLP's gates are not written for this runtime", "gguf, mlx or hf");
}

OpenVinoOps::Value OpenVinoOps::shift(const Value& x, double by) {
  return {binary("Add", x.name, real(static_cast<float>(by))), x.width};
}

OpenVinoOps::Value OpenVinoOps::slice(const Value& x, std::int64_t begin, std::int64_t width) {
  return {part(x.name, begin, begin + width, 2), width};
}

OpenVinoOps::Value OpenVinoOps::activate(const Value& x, Activation activation) {
  switch (activation) {
    case Activation::silu:
      return {node("Swish", {x.name}), x.width};
    case Activation::gelu_tanh:
      return {node("Gelu", {x.name}, {text("approximation_mode", "TANH")}), x.width};
    case Activation::gelu_erf:
      return {node("Gelu", {x.name}, {text("approximation_mode", "ERF")}), x.width};
    case Activation::gelu_sigmoid:
      return {node("Swish", {x.name, real(1.702f)}), x.width};
    case Activation::sigmoid:
      return {node("Sigmoid", {x.name}), x.width};
    case Activation::squared_relu: {
      const Value above = {node("Relu", {x.name}), x.width};
      return multiply(above, above);
    }
  }
  return x;
}

OpenVinoOps::Value OpenVinoOps::multiply(const Value& x, const Value& y) {
  return {binary("Multiply", x.name, y.name), x.width};
}

OpenVinoOps::Value OpenVinoOps::add(const Value& x, const Value& y) {
  return {binary("Add", x.name, y.name), x.width};
}

OpenVinoOps::Value OpenVinoOps::soft_cap(const Value& x, double cap) {
  return {capped(x.name, cap), x.width};
}

// ---- attention

OpenVinoOps::Value OpenVinoOps::by_head(const Value& x) {
  if (x.by_head) return x;
  const std::string heads = reshape(x.name, {0, 0, -1, decoder_.head_dim});
  return {node("Transpose", {heads, wholes({0, 2, 1, 3})}), x.width, true};
}

OpenVinoOps::Value OpenVinoOps::flat(const Value& x) {
  if (!x.by_head) return x;
  return {reshape(node("Transpose", {x.name, wholes({0, 2, 1, 3})}), {0, 0, x.width}), x.width};
}

std::string OpenVinoOps::positions() {
  if (positions_.empty()) positions_ = convert(std::string(kPositions), "f32");
  return positions_;
}

std::string OpenVinoOps::total_length() {
  if (total_length_.empty()) total_length_ = size(kMask, 1);
  return total_length_;
}

// Some models take other values once a sequence is long.
std::string OpenVinoOps::by_length(const Rope& rope, const std::vector<float>& first,
                                   const std::vector<float>& later) {
  if (first == later) return reals(first);
  const std::string last =
      node("ReduceMax", {std::string(kPositions), wholes({0, 1})}, {flag("keep_dims", false)});
  const std::string is_long = binary("Greater", last, whole(rope.original_context - 1));
  return node("Select", {is_long, reals(later), reals(first)}, {text("auto_broadcast", "numpy")});
}

// Cosines and sines of every token's angles: [batch, 1, tokens, rotated columns], or where neighbours
// turn together [batch, 1, tokens, pairs, 1].
const OpenVinoOps::Turns& OpenVinoOps::turns(RopeKind kind) {
  const auto [found, is_new] = turns_.try_emplace(kind);
  if (!is_new) return found->second;
  const Rope& rope = decoder_.rope_of(kind);
  const RotaryFactors first = rotary_factors(rope, 0);
  const RotaryFactors later = rotary_factors(rope, rope.original_context + 1);
  const std::string frequencies = by_length(rope, first.frequencies, later.frequencies);
  std::string angles = binary("Multiply", unsqueeze(positions(), {2}), frequencies);
  if (!rope.interleaved) angles = concat({angles, angles}, -1);
  const auto factor_of = [](const RotaryFactors& r) {
    return static_cast<float>(r.attention_factor);
  };
  const auto turn = [&](std::string_view op) {
    std::string value = node(op, {angles});
    if (factor_of(first) != 1 || factor_of(later) != 1) {
      value = binary("Multiply", std::move(value),
                     by_length(rope, {factor_of(first)}, {factor_of(later)}));
    }
    return unsqueeze(std::move(value), rope.interleaved ? std::vector<std::int64_t>{1, 4}
                                                        : std::vector<std::int64_t>{1});
  };
  found->second.cos = turn("Cos");
  found->second.sin = turn("Sin");
  return found->second;
}

// Two halves of each pair turned by its angle: x cos + (-second, first) sin.
std::string OpenVinoOps::turned(const std::string& x, const Rope& rope, const Turns& turns) {
  const std::int64_t half = rope.interleaved ? 1 : rope.dims / 2;
  const std::int64_t axis = rope.interleaved ? 4 : 3;
  const std::string pairs = rope.interleaved ? reshape(x, {0, 0, 0, -1, 2}) : x;
  const std::string second = part(pairs, half, kToTheEnd, axis);
  const std::string across =
      concat({binary("Multiply", second, real(-1)), part(pairs, 0, half, axis)}, -1);
  const std::string sum =
      binary("Add", binary("Multiply", pairs, turns.cos), binary("Multiply", across, turns.sin));
  return rope.interleaved ? reshape(sum, {0, 0, 0, rope.dims}) : sum;
}

OpenVinoOps::Value OpenVinoOps::rotate(const Value& x, std::int64_t layer) {
  const RopeKind kind = decoder_.layer(layer).rope;
  const Rope& rope = decoder_.rope_of(kind);
  const Value heads = by_head(x);
  if (rope.dims == decoder_.head_dim) return {turned(heads.name, rope, turns(kind)), x.width, true};
  const std::string first = turned(part(heads.name, 0, rope.dims, 3), rope, turns(kind));
  return {concat({first, part(heads.name, rope.dims, kToTheEnd, 3)}, -1), x.width, true};
}

// What is added to every score of the call's tokens (rows) and all tokens so far (columns).
std::string OpenVinoOps::mask(std::optional<std::int64_t> window) {
  std::string& name = masks_[window];
  if (!name.empty()) return name;
  const auto range = [&](const std::string& begin) {
    return node("Range", {begin, total_length(), whole(1)}, {text("output_type", "i64")});
  };
  const auto both = [&](const std::string& x, const std::string& y) {
    return binary("BitwiseAnd", x, y);
  };
  const std::string keys = range(whole(0));
  const std::string past = binary("Subtract", total_length(), size(kIds, 1));
  const std::string queries = unsqueeze(range(past), {1});
  const std::string before = binary("LessEqual", keys, queries);
  const std::string there = binary("NotEqual", unsqueeze(std::string(kMask), {1, 2}), whole(0));
  std::string seen = both(before, there);
  if (window) {
    // Where attention becomes a paged one, the runtime takes the window from a mask of this very
    // form, and none from any other.
    const std::string yes = constant(DType::boolean, {}, "\1");
    const std::string near = binary("Greater", keys, binary("Add", queries, whole(-*window)));
    seen = both(both(yes, both(both(yes, near), before)), there);
    seen = node("Broadcast", {seen, wholes({1, 1, 1, 1})}, {text("mode", "bidirectional")});
  }
  name = node("Select", {seen, real(0), real(kUnseen)}, {text("auto_broadcast", "numpy")});
  return name;
}

// Keys or values of all tokens so far, of which these are the call's.
std::string OpenVinoOps::cached(const std::string& now, std::int64_t layer, std::string_view what) {
  const std::string number = std::to_string(layer) + "." + std::string(what);
  const std::string id = "past_key_values." + number + "present." + number;
  const std::string heads = std::to_string(decoder_.kv_heads);
  const std::string columns = std::to_string(decoder_.head_dim);
  if (empty_cache_.empty()) {
    const std::string batch = unsqueeze(size(kIds, 0), {0});
    const std::string shape = concat({batch, wholes({decoder_.kv_heads, 0, decoder_.head_dim})}, 0);
    empty_cache_ = node("Broadcast", {real(0), shape}, {text("mode", "numpy")});
  }
  const std::string past = node("ReadValue", {empty_cache_},
                                {text("variable_id", id), text("variable_type", "f32"),
                                 text("variable_shape", "?," + heads + ",?," + columns)});
  const std::string chosen =
      node("Gather", {past, std::string(kBeam), whole(0)}, {{"batch_dims", std::int64_t{0}}});
  std::string all = concat({chosen, now}, 2);
  sink("Assign", all, {text("variable_id", id)});
  return all;
}

// A head of keys or values for each head of queries.
std::string OpenVinoOps::repeated(std::string x) {
  const std::int64_t times = decoder_.heads / decoder_.kv_heads;
  if (times == 1) return x;
  const std::string copies =
      node("Broadcast", {unsqueeze(std::move(x), {2}), wholes({1, 1, times, 1, 1})},
           {text("mode", "bidirectional")});
  return reshape(copies, {0, decoder_.heads, -1, decoder_.head_dim});
}

OpenVinoOps::Value OpenVinoOps::attend(const Value& q, const Value& k, const Value& v,
                                       Place place) {
  if (find(place, Part::weight) != nullptr)
    throw Error("openvino", "attention sinks are not written for this runtime", "gguf, mlx or hf");
  const std::int64_t layer = place.layer;
  const double factor = decoder_.score_scale(place.layer);
  const std::string scale = real(static_cast<float>(factor));
  const std::string queries = by_head(q).name;
  const std::string keys = repeated(cached(by_head(k).name, layer, "key"));
  const std::string values = repeated(cached(by_head(v).name, layer, "value"));
  const std::string unseen = mask(decoder_.layer(layer).window);
  std::string out;
  if (decoder_.attention_soft_cap == 0) {
    out = node("ScaledDotProductAttention", {queries, keys, values, unseen, scale},
               {flag("causal", false)});
  } else {
    const auto product = [&](const std::string& x, const std::string& y, bool transposed) {
      return node("MatMul", {x, y}, {flag("transpose_a", false), flag("transpose_b", transposed)});
    };
    const std::string scores = binary("Multiply", product(queries, keys, true), scale);
    const std::string masked = binary("Add", capped(scores, decoder_.attention_soft_cap), unseen);
    const std::string shares = node("SoftMax", {masked}, {{"axis", std::int64_t{-1}}});
    out = product(shares, values, false);
  }
  return flat({out, q.width, true});
}

}  // namespace zp
