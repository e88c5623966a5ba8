#include "container/onnx_ops.h"

#include <cmath>

#include "base/checked.h"
#include "base/error.h"
#include "model/interpreter.h"
#include "model/rotary.h"

namespace zp {
namespace {

constexpr std::string_view kIds = "input_ids";
constexpr std::string_view kMask = "attention_mask";
constexpr std::string_view kPositions = "position_ids";

std::string cached(std::string_view when, std::int64_t layer, std::string_view what) {
  return std::string(when) + "." + std::to_string(layer) + "." + std::string(what);
}

}  // namespace

std::int64_t cached_head_dim(const Decoder& decoder) { return round_up(decoder.head_dim, 8); }

OnnxOps::OnnxOps(const Model& model, std::span<const Assignment> assignments,
                 std::int64_t accuracy_level, onnx::Model& graph)
    : model_(model), decoder_(model.decoder), accuracy_level_(accuracy_level), graph_(graph) {
  for (const Assignment& a : assignments) {
    const TensorUse& use = a.weight->use;
    weights_[{use.place, use.part}] = &a;
  }
}

// ---- the graph

void OnnxOps::build() {
  const onnx::Dim batch = "batch_size", length = "sequence_length";
  const auto cache = [&](std::string_view when, std::string_view tokens) {
    std::vector<onnx::ValueInfo> infos;
    for (std::int64_t layer = 0; layer < decoder_.layers; ++layer) {
      for (const std::string_view what : {"key", "value"}) {
        infos.push_back(
            {cached(when, layer, what),
             onnx::Type::f32,
             {batch, decoder_.kv_heads, std::string(tokens), cached_head_dim(decoder_)}});
      }
    }
    return infos;
  };
  const auto input = [&](std::string_view name, const onnx::Dim& tokens) {
    graph_.inputs.push_back({std::string(name), onnx::Type::i64, {batch, tokens}});
  };
  input(kIds, length);
  input(kMask, "total_sequence_length");
  input(kPositions, length);
  for (onnx::ValueInfo& info : cache("past_key_values", "past_sequence_length"))
    graph_.inputs.push_back(std::move(info));
  graph_.outputs.push_back({"logits", onnx::Type::f32, {batch, length, decoder_.vocabulary}});
  for (onnx::ValueInfo& info : cache("present", "total_sequence_length"))
    graph_.outputs.push_back(std::move(info));

  const Network network = record(model_);
  const ValueId logits = network.logits();
  Interpreter(network, *this).run({}, {&logits, 1});
  nodes().back().outputs[0] = "logits";
  graph_.nodes = take_nodes();
  for (const GraphConstant& c : constants())
    graph_.initializers.push_back({c.name, onnx::type_of(c.type), c.shape, c.bytes, {}});
}

// One of ONNX Runtime's.
std::string OnnxOps::own_node(std::string_view op, Names inputs, Attributes attributes) {
  return node(op, std::move(inputs), std::move(attributes), kOnnxRuntimeDomain);
}

std::string OnnxOps::to_type(onnx::Type type, std::string value) {
  return node("Cast", {std::move(value)}, {{"to", static_cast<std::int64_t>(type)}});
}

std::string OnnxOps::reshape(std::string value, const std::vector<std::int64_t>& shape) {
  return node("Reshape", {std::move(value), wholes(shape)});
}

// ---- weights

const Assignment* OnnxOps::find(Place place, Part part) const {
  const auto found = weights_.find({place, part});
  return found == weights_.end() ? nullptr : found->second;
}

const Assignment& OnnxOps::at(Place place) const { return *find(place, Part::weight); }

bool OnnxOps::tied_codes() const {
  return decoder_.tied && onnx_form(*at({-1, Role::embedding}).grid) != nullptr;
}

// ONNX Runtime turns constants into FP32 once, when it loads.
std::string OnnxOps::plane_as_floats(const Assignment& weight, std::size_t plane) {
  const OnnxPlane stored = onnx_planes(weight)[plane];
  if (stored.type == onnx::Type::f32) return stored.name;
  std::string& name = casts_[stored.name];
  if (name.empty())
    name = weight_node("Cast", {stored.name}, {{"to", static_cast<std::int64_t>(onnx::Type::f32)}});
  return name;
}

std::string OnnxOps::vector(Place place, Part part) {
  return plane_as_floats(*find(place, part), 0);
}

std::string OnnxOps::looked_up(Role role, const std::string& indices) {
  const Assignment& weight = at({-1, role});
  const AffineForm* form = onnx_form(*weight.grid);
  const std::vector<OnnxPlane> planes = onnx_planes(weight);
  if (form == nullptr) {
    std::string rows = node("Gather", {planes[0].name, indices});
    if (planes[0].type == onnx::Type::f32) return rows;
    return to_type(onnx::Type::f32, rows);
  }
  Names inputs = {planes[0].name, indices, plane_as_floats(weight, 1)};
  if (planes.size() > 2) inputs.push_back(planes[2].name);
  return own_node("GatherBlockQuantized", std::move(inputs),
                  {{"bits", std::int64_t{form->bits}},
                   {"block_size", form->group},
                   {"gather_axis", std::int64_t{0}},
                   {"quantize_axis", std::int64_t{1}}});
}

// ---- operations

OnnxOps::Value OnnxOps::embed(Place place) {
  return {looked_up(place.role, std::string(kIds)), at(place).weight->use.cols};
}

OnnxOps::Value OnnxOps::add_positions(const Value& x) {
  return {node("Add", {x.name, looked_up(Role::position, std::string(kPositions))}), x.width};
}

OnnxOps::Value OnnxOps::scale(const Value& x, double factor) {
  return {node("Mul", {x.name, real(static_cast<float>(factor))}), x.width};
}

OnnxOps::Value OnnxOps::temper(const Value& x) {
  const auto beta = static_cast<float>(decoder_.query_beta);
  const std::string position = to_type(onnx::Type::f32, std::string(kPositions));
  const auto length = static_cast<float>(decoder_.query_length);
  const std::string turns = node("Floor", {node("Div", {position, real(length)})});
  const std::string log = node("Log", {node("Add", {turns, real(1)})});
  const std::string factor = node("Add", {node("Mul", {log, real(beta)}), real(1)});
  return {node("Mul", {x.name, node("Unsqueeze", {factor, wholes({-1})})}), x.width};
}

std::string OnnxOps::gamma(Place place) {
  const std::string stored = vector(place, Part::weight);
  return decoder_.norm_plus_one ? weight_node("Add", {stored, real(1)}) : stored;
}

// ONNX has no such norm before opset 23; ONNX Runtime knows these nodes as one.
std::string OnnxOps::normed(const std::string& x, Place place) {
  const auto epsilon = static_cast<float>(decoder_.norm_epsilon);
  if (decoder_.norm == Norm::layer) {
    return node("LayerNormalization", {x, gamma(place), vector(place, Part::bias)},
                {{"axis", std::int64_t{-1}}, {"epsilon", epsilon}});
  }
  const std::string squares = node("Pow", {x, real(2)});
  const std::string mean =
      node("ReduceMean", {squares, wholes({-1})}, {{"keepdims", std::int64_t{1}}});
  const std::string size = node("Sqrt", {node("Add", {mean, real(epsilon)})});
  return node("Mul", {node("Div", {x, size}), gamma(place)});
}

// A sum and the norm behind it are one node, which puts out both.
OnnxOps::Value OnnxOps::norm(const Value& x, Place place) {
  const auto sum = sums_.find(x.name);
  if (sum == sums_.end()) return {normed(x.name, place), x.width};
  const bool layer = decoder_.norm == Norm::layer;
  Names more = {gamma(place)};
  if (layer) more.push_back(vector(place, Part::bias));
  GraphNode& add = nodes()[sum->second];
  sums_.erase(sum);
  add.op = layer ? "SkipLayerNormalization" : "SkipSimplifiedLayerNormalization";
  add.domain = kOnnxRuntimeDomain;
  add.inputs.insert(add.inputs.end(), more.begin(), more.end());
  const std::string out = new_name(add.op);
  add.outputs = {out, "", "", x.name};
  add.attributes = {{"epsilon", static_cast<float>(decoder_.norm_epsilon)}};
  return {out, x.width};
}

OnnxOps::Value OnnxOps::norm_heads(const Value& x, Place place) {
  const std::string heads = reshape(x.name, {0, 0, -1, decoder_.head_dim});
  return {reshape(normed(heads, place), {0, 0, x.width}), x.width};
}

OnnxOps::Value OnnxOps::linear(const Value& x, Place place) {
  const Assignment& weight = at(place);
  const AffineForm* form = onnx_form(*weight.grid);
  const std::int64_t rows = weight.weight->use.rows;
  const std::int64_t cols = weight.weight->use.cols;
  Value y{{}, rows};
  if (const auto book = onnx_codebook(*weight.grid)) {
    const std::vector<OnnxPlane> planes = onnx_planes(weight);
    y.name = own_node(
        "MatMulBnb4", {x.name, planes[0].name, planes[1].name},
        {{"K", cols}, {"N", rows}, {"block_size", book->group}, {"quant_type", book->quant_type}});
  } else if (form == nullptr) {
    y.name = own_node("FusedMatMul", {x.name, plane_as_floats(weight, 0)},
                      {{"transB", std::int64_t{1}}});
  } else {
    const std::vector<OnnxPlane> planes = onnx_planes(weight);
    const bool looked_up = place.role == Role::embedding;
    Names inputs = {x.name, looked_up ? onnx_head_codes(weight).name : planes[0].name,
                    plane_as_floats(weight, 1)};
    if (planes.size() > 2) inputs.push_back(planes[2].name);
    y.name = own_node("MatMulNBits", std::move(inputs),
                      {{"K", cols},
                       {"N", rows},
                       {"bits", std::int64_t{form->bits}},
                       {"block_size", form->group},
                       {"accuracy_level", accuracy_level_}});
  }
  if (find(place, Part::bias) != nullptr) y.name = node("Add", {y.name, vector(place, Part::bias)});
  return y;
}

OnnxOps::Value OnnxOps::convolve(const Value&, Place) {
  throw Error("onnx", "short convolutions are not written for this runtime", "gguf, mlx or hf");
}
OnnxOps::Value OnnxOps::norm_values(const Value&, std::int64_t) {
  throw Error("onnx", "norms of values are not written for this runtime", "gguf, mlx or hf");
}
// Where values are normed.
OnnxOps::Value OnnxOps::scale_by(const Value& x, Place) { return x; }
OnnxOps::Value OnnxOps::part(const Value&, std::span<const std::int64_t>) {
  throw Error("onnx", "parted heads are not written for this runtime", "gguf, mlx or hf");
}
// Behind a convolution.
OnnxOps::Value OnnxOps::scan(const Value& x, const Value&, Place) { return x; }
// Behind parted heads.
OnnxOps::Value OnnxOps::share(const Value& x, const Value&, std::int64_t) { return x; }
// Behind a convolution.
OnnxOps::Value OnnxOps::delta(const Value& qkv, const Value&, const Value&, Place) { return qkv; }
OnnxOps::Value OnnxOps::weigh(const Value&, const Value&) {
  throw Error("onnx", "an MLP's gates are not written for this runtime", "gguf, mlx or hf");
}

OnnxOps::Value OnnxOps::slice(const Value& x, std::int64_t begin, std::int64_t width) {
  return {node("Slice", {x.name, wholes({begin}), wholes({begin + width}), wholes({-1})}), width};
}

// Some models take other values once a sequence is long.
std::string OnnxOps::by_length(const Rope& rope, const std::vector<float>& first,
                               const std::vector<float>& later) {
  if (first == later) return reals(first);
  const std::string is_long = node("Greater", {total_length_, whole(rope.original_context)});
  return node("Where", {is_long, reals(later), reals(first)});
}

const std::string& OnnxOps::positions() {
  if (positions_.empty())
    positions_ = to_type(onnx::Type::f32, reshape(std::string(kPositions), {-1, 1}));
  return positions_;
}

// Cosines and sines of every token's angles, a row each, and the rows' numbers.
const OnnxOps::Turns& OnnxOps::turns(RopeKind kind) {
  const auto [found, is_new] = turns_.try_emplace(kind);
  if (!is_new) return found->second;
  prepare_attention();
  const Rope& rope = decoder_.rope_of(kind);
  const std::string at = positions();
  const RotaryFactors first = rotary_factors(rope, 0);
  const RotaryFactors later = rotary_factors(rope, rope.original_context + 1);
  const std::string angles =
      node("Mul", {at, by_length(rope, first.frequencies, later.frequencies)});
  const auto factor_of = [](const RotaryFactors& r) {
    return static_cast<float>(r.attention_factor);
  };
  const auto turn = [&](std::string_view op) {
    const std::string value = node(op, {angles});
    if (first.attention_factor != later.attention_factor)
      return node("Mul", {value, by_length(rope, {factor_of(first)}, {factor_of(later)})});
    return factor_of(first) == 1 ? value : node("Mul", {value, real(factor_of(first))});
  };
  found->second.cos = turn("Cos");
  found->second.sin = turn("Sin");
  if (row_.empty()) {
    const std::string rows =
        node("Range", {whole(0), node("Size", {std::string(kPositions)}), whole(1)});
    row_ = node("Reshape", {rows, node("Shape", {std::string(kPositions)})});
  }
  return found->second;
}

OnnxOps::Value OnnxOps::rotate(const Value& x, std::int64_t layer) {
  const RopeKind kind = decoder_.layer(layer).rope;
  const Rope& rope = decoder_.rope_of(kind);
  const Turns& turned = turns(kind);
  return {own_node("RotaryEmbedding", {x.name, row_, turned.cos, turned.sin},
                   {{"interleaved", std::int64_t{rope.interleaved}},
                    {"num_heads", x.width / decoder_.head_dim},
                    {"rotary_embedding_dim", rope.dims == decoder_.head_dim ? 0 : rope.dims}}),
          x.width};
}

void OnnxOps::prepare_attention() {
  if (!total_length_.empty()) return;
  const std::string seen =
      node("ReduceSum", {std::string(kMask), wholes({1})}, {{"keepdims", std::int64_t{0}}});
  last_position_ = to_type(onnx::Type::i32, node("Sub", {seen, whole(1)}));
  total_length_ = node("Gather", {node("Shape", {std::string(kMask)}), whole(1)});
  total_length_int32_ = to_type(onnx::Type::i32, total_length_);
}

std::string OnnxOps::padded(const Value& x) {
  const std::int64_t dim = cached_head_dim(decoder_);
  const std::int64_t more = dim - decoder_.head_dim;
  if (more == 0) return x.name;
  const std::string heads = reshape(x.name, {0, 0, -1, decoder_.head_dim});
  const std::string wide = node("Pad", {heads, wholes({0, 0, 0, 0, 0, 0, 0, more})});
  return reshape(wide, {0, 0, x.width / decoder_.head_dim * dim});
}

std::string OnnxOps::unpadded(const std::string& x, std::int64_t width) {
  const std::int64_t dim = cached_head_dim(decoder_);
  if (dim == decoder_.head_dim) return x;
  const Value heads{reshape(x, {0, 0, -1, dim}), dim};
  return reshape(slice(heads, 0, decoder_.head_dim).name, {0, 0, width});
}

OnnxOps::Value OnnxOps::attend(const Value& q, const Value& k, const Value& v, Place place) {
  if (find(place, Part::weight) != nullptr)
    throw Error("onnx", "attention sinks are not written for this runtime", "gguf, mlx or hf");
  const std::int64_t layer = place.layer;
  prepare_attention();
  const double factor = decoder_.score_scale(place.layer);
  Attributes attributes = {{"num_heads", decoder_.heads},
                           {"kv_num_heads", decoder_.kv_heads},
                           {"scale", static_cast<float>(factor)}};
  if (decoder_.attention_soft_cap != 0)
    attributes.push_back({"softcap", static_cast<float>(decoder_.attention_soft_cap)});
  if (const auto window = decoder_.layer(layer).window)
    attributes.push_back({"local_window_size", *window});
  const std::string out =
      own_node("GroupQueryAttention",
               {padded(q), padded(k), padded(v), cached("past_key_values", layer, "key"),
                cached("past_key_values", layer, "value"), last_position_, total_length_int32_},
               std::move(attributes));
  nodes().back().outputs = {out, cached("present", layer, "key"),
                            cached("present", layer, "value")};
  return {unpadded(out, q.width), q.width};
}

OnnxOps::Value OnnxOps::activate(const Value& x, Activation activation) {
  if (x.sent) {
    check_activation_of_experts(activation);
    return x;
  }
  switch (activation) {
    case Activation::silu:
      return multiply(x, {node("Sigmoid", {x.name}), x.width});
    case Activation::gelu_tanh:
      return {node("Gelu", {x.name}, {{"approximate", std::string("tanh")}}), x.width};
    case Activation::gelu_erf:
      return {node("Gelu", {x.name}), x.width};
    case Activation::gelu_sigmoid:
      return multiply(x, {node("Sigmoid", {node("Mul", {x.name, real(1.702f)})}), x.width});
    case Activation::sigmoid:
      return {node("Sigmoid", {x.name}), x.width};
    case Activation::squared_relu: {
      const Value above = {node("Relu", {x.name}), x.width};
      return multiply(above, above);
    }
  }
  return x;
}

OnnxOps::Value OnnxOps::multiply(const Value& x, const Value& y) {
  if (x.sent) return x;
  return {node("Mul", {x.name, y.name}), x.width};
}

OnnxOps::Value OnnxOps::add(const Value& x, const Value& y) {
  const std::string out = node("Add", {x.name, y.name});
  sums_[out] = nodes().size() - 1;
  return {out, x.width};
}

OnnxOps::Value OnnxOps::clamp(const Value& x, double least, double most) {
  const auto end = [&](double value) { return real(static_cast<float>(value)); };
  return {node("Clip", {x.name, end(least), end(most)}), x.width};
}

OnnxOps::Value OnnxOps::shift(const Value& x, double by) {
  return {node("Add", {x.name, real(static_cast<float>(by))}), x.width};
}

OnnxOps::Value OnnxOps::soft_cap(const Value& x, double cap) {
  const std::string factor = real(static_cast<float>(cap));
  return {node("Mul", {node("Tanh", {node("Div", {x.name, factor})}), factor}), x.width};
}

}  // namespace zp
