#include "container/onnx_nodes.h"

#include <utility>

namespace zp {
namespace {

template <class T>
std::string bytes_of(const T* values, std::size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(T)};
}

}  // namespace

std::string OnnxNodes::new_name(std::string_view op) {
  return std::string(op) + "_" + std::to_string(names_++);
}

std::string OnnxNodes::node(std::string_view op, Names inputs, Attributes attributes) {
  std::string name = new_name(op);
  graph_.nodes.push_back(
      {std::string(op), {}, name, std::move(inputs), {name}, std::move(attributes)});
  return name;
}

std::string OnnxNodes::own_node(std::string_view op, Names inputs, Attributes attributes) {
  std::string name = node(op, std::move(inputs), std::move(attributes));
  graph_.nodes.back().domain = kOnnxRuntimeDomain;
  return name;
}

std::string OnnxNodes::weight_node(std::string_view op, Names inputs, Attributes attributes) {
  std::string name = node(op, std::move(inputs), std::move(attributes));
  weight_nodes_.push_back(std::move(graph_.nodes.back()));
  graph_.nodes.pop_back();
  return name;
}

std::string OnnxNodes::constant(onnx::Type type, std::vector<std::int64_t> shape,
                                std::string bytes) {
  const std::string key =
      std::to_string(static_cast<int>(type)) + " " + std::to_string(shape.size()) + " " + bytes;
  std::string& name = known_[key];
  if (name.empty()) {
    name = "constant_" + std::to_string(constants_.size());
    constants_.push_back(std::move(bytes));
    graph_.initializers.push_back({name, type, std::move(shape), constants_.back(), {}});
  }
  return name;
}

std::string OnnxNodes::whole(std::int64_t value) {
  return constant(onnx::Type::i64, {}, bytes_of(&value, 1));
}
std::string OnnxNodes::wholes(const std::vector<std::int64_t>& values) {
  return constant(onnx::Type::i64, {std::ssize(values)}, bytes_of(values.data(), values.size()));
}
std::string OnnxNodes::real(float value) {
  return constant(onnx::Type::f32, {}, bytes_of(&value, 1));
}
std::string OnnxNodes::reals(const std::vector<float>& values) {
  return constant(onnx::Type::f32, {std::ssize(values)}, bytes_of(values.data(), values.size()));
}

std::string OnnxNodes::to_type(onnx::Type type, std::string value) {
  return node("Cast", {std::move(value)}, {{"to", static_cast<std::int64_t>(type)}});
}

std::string OnnxNodes::reshape(std::string value, const std::vector<std::int64_t>& shape) {
  return node("Reshape", {std::move(value), wholes(shape)});
}

void OnnxNodes::finish() {
  graph_.nodes.insert(graph_.nodes.begin(), weight_nodes_.begin(), weight_nodes_.end());
  weight_nodes_.clear();
}

}  // namespace zp
