// Fields are written in the order of their numbers, so that equal models have equal bytes.
#include "base/protobuf_writer.h"
#include "format/onnx.h"

namespace zp::onnx {
namespace {

constexpr std::int64_t kExternal = 1;  // TensorProto.DataLocation
enum AttributeType : std::int64_t { kFloat = 1, kInt = 2, kString = 3 };

std::string attribute_proto(const GraphAttribute& attribute) {
  ProtobufWriter out;
  out.bytes(1, attribute.name);
  if (const auto* real = std::get_if<float>(&attribute.value)) {
    out.real(2, *real).integer(20, kFloat);
  } else if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
    out.integer(3, *integer).integer(20, kInt);
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    out.bytes(4, *text).integer(20, kString);
  }
  return out.message();
}

std::string node_proto(const GraphNode& node) {
  ProtobufWriter out;
  for (const std::string& input : node.inputs) out.bytes(1, input);
  for (const std::string& output : node.outputs) out.bytes(2, output);
  if (!node.name.empty()) out.bytes(3, node.name);
  out.bytes(4, node.op);
  for (const GraphAttribute& a : node.attributes) out.bytes(5, attribute_proto(a));
  if (!node.domain.empty()) out.bytes(7, node.domain);
  return out.message();
}

std::string pair_proto(std::string_view key, const std::string& value) {
  return ProtobufWriter().bytes(1, key).bytes(2, value).message();
}

std::string tensor_proto(const Initializer& tensor) {
  ProtobufWriter out;
  for (const std::int64_t n : tensor.shape) out.integer(1, n);
  out.integer(2, static_cast<std::int64_t>(tensor.type)).bytes(8, tensor.name);
  if (!tensor.external) return out.bytes(9, tensor.raw).message();
  out.bytes(13, pair_proto("location", tensor.external->location));
  out.bytes(13, pair_proto("offset", std::to_string(tensor.external->offset)));
  if (tensor.external->bytes)
    out.bytes(13, pair_proto("length", std::to_string(*tensor.external->bytes)));
  return out.integer(14, kExternal).message();
}

std::string dim_proto(const Dim& dim) {
  ProtobufWriter out;
  if (const auto* size = std::get_if<std::int64_t>(&dim)) return out.integer(1, *size).message();
  return out.bytes(2, std::get<std::string>(dim)).message();
}

std::string value_proto(const ValueInfo& value) {
  ProtobufWriter shape;
  for (const Dim& dim : value.shape) shape.bytes(1, dim_proto(dim));
  ProtobufWriter tensor;
  tensor.integer(1, static_cast<std::int64_t>(value.type)).bytes(2, shape.message());
  const std::string type = ProtobufWriter().bytes(1, tensor.message()).message();
  return ProtobufWriter().bytes(1, value.name).bytes(2, type).message();
}

std::string graph_proto(const Model& model) {
  ProtobufWriter out;
  for (const GraphNode& node : model.nodes) out.bytes(1, node_proto(node));
  out.bytes(2, model.graph_name);
  for (const Initializer& tensor : model.initializers) out.bytes(5, tensor_proto(tensor));
  for (const ValueInfo& input : model.inputs) out.bytes(11, value_proto(input));
  for (const ValueInfo& output : model.outputs) out.bytes(12, value_proto(output));
  return out.message();
}

}  // namespace

std::vector<std::byte> write(const Model& model) {
  ProtobufWriter out;
  out.integer(1, model.ir_version).bytes(2, model.producer).bytes(7, graph_proto(model));
  for (const auto& [domain, version] : model.operator_sets)
    out.bytes(8, ProtobufWriter().bytes(1, domain).integer(2, version).message());
  const auto* begin = reinterpret_cast<const std::byte*>(out.message().data());
  return {begin, begin + out.message().size()};
}

}  // namespace zp::onnx
