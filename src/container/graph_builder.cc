#include "container/graph_builder.h"

#include <iterator>
#include <utility>

namespace zp {
namespace {

template <class T>
std::string bytes_of(const T* values, std::size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(T)};
}

}  // namespace

std::string GraphBuilder::new_name(std::string_view op) {
  return std::string(op) + "_" + std::to_string(names_++);
}

std::string GraphBuilder::node(std::string_view op, Names inputs, Attributes attributes,
                               std::string_view domain) {
  std::string name = new_name(op);
  nodes_.push_back({std::string(op),
                    std::string(domain),
                    name,
                    std::move(inputs),
                    {name},
                    std::move(attributes)});
  return name;
}

std::string GraphBuilder::weight_node(std::string_view op, Names inputs, Attributes attributes) {
  std::string name = node(op, std::move(inputs), std::move(attributes));
  weight_nodes_.push_back(std::move(nodes_.back()));
  nodes_.pop_back();
  return name;
}

std::string GraphBuilder::constant(DType type, std::vector<std::int64_t> shape, std::string bytes) {
  const std::string key =
      std::to_string(static_cast<int>(type)) + " " + std::to_string(shape.size()) + " " + bytes;
  std::string& name = known_[key];
  if (name.empty()) {
    name = "constant_" + std::to_string(constants_.size());
    constants_.push_back({name, type, std::move(shape), std::move(bytes)});
  }
  return name;
}

std::string GraphBuilder::whole(std::int64_t value) {
  return constant(DType::i64, {}, bytes_of(&value, 1));
}
std::string GraphBuilder::wholes(const std::vector<std::int64_t>& values) {
  return constant(DType::i64, {std::ssize(values)}, bytes_of(values.data(), values.size()));
}
std::string GraphBuilder::real(float value) {
  return constant(DType::f32, {}, bytes_of(&value, 1));
}
std::string GraphBuilder::reals(const std::vector<float>& values) {
  return constant(DType::f32, {std::ssize(values)}, bytes_of(values.data(), values.size()));
}

std::vector<GraphNode> GraphBuilder::take_nodes() {
  nodes_.insert(nodes_.begin(), std::make_move_iterator(weight_nodes_.begin()),
                std::make_move_iterator(weight_nodes_.end()));
  return std::move(nodes_);
}

}  // namespace zp
