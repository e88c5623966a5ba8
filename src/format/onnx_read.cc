#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/protobuf_reader.h"
#include "format/cursor.h"
#include "format/onnx.h"

namespace zp::onnx {
namespace {

constexpr std::int64_t kExternal = 1;  // TensorProto.DataLocation

// What all parts of a model are read with.
struct Reader {
  const std::string& where;

  ProtobufReader fields(std::string_view message) const { return {message, where}; }

  std::int64_t size(const std::string& tensor, std::string_view text) const {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) {
      throw Error(where + ": tensor \"" + printable(tensor) + "\"", "wrong place of its data",
                  "a whole number", printable(text));
    }
    return value;
  }

  // What is said of its type counts.
  GraphAttribute attribute(std::string_view message) const {
    GraphAttribute attribute;
    std::optional<std::int64_t> type;
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 20) type = in.integer();
      if (in.field() == 1) attribute.name = in.bytes();
      if (in.field() == 2) attribute.value = in.real();
      if (in.field() == 3) attribute.value = in.integer();
      if (in.field() == 4) attribute.value = std::string(in.bytes());
    }
    constexpr std::array<std::size_t, 4> kAlternatives = {0, 2, 1, 3};  // undefined, FLOAT, INT...
    const auto said = static_cast<std::uint64_t>(type.value_or(0));
    if (type && (said >= kAlternatives.size() || kAlternatives[said] != attribute.value.index()))
      attribute.value = {};
    return attribute;
  }

  GraphNode node(std::string_view message) const {
    GraphNode node;
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 1) node.inputs.emplace_back(in.bytes());
      if (in.field() == 2) node.outputs.emplace_back(in.bytes());
      if (in.field() == 3) node.name = in.bytes();
      if (in.field() == 4) node.op = in.bytes();
      if (in.field() == 5) node.attributes.push_back(attribute(in.bytes()));
      if (in.field() == 7) node.domain = in.bytes();
    }
    return node;
  }

  void external(std::string_view message, const std::string& tensor, External& external) const {
    std::string_view key, value;
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 1) key = in.bytes();
      if (in.field() == 2) value = in.bytes();
    }
    if (key == "location") external.location = value;
    if (key == "offset") external.offset = size(tensor, value);
    if (key == "length") external.bytes = size(tensor, value);
  }

  // Sizes are one field each, or all packed into one.
  static void add_dims(ProtobufReader& in, std::vector<std::int64_t>& shape) {
    if (in.is_bytes()) {
      for (const std::int64_t n : in.packed_integers()) shape.push_back(n);
    } else {
      shape.push_back(in.integer());
    }
  }

  Initializer initializer(std::string_view message) const {
    Initializer tensor;
    External place;
    bool is_external = false;
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 1) add_dims(in, tensor.shape);
      if (in.field() == 2) tensor.type = static_cast<Type>(in.integer());
      // Packed floats and doubles are what raw data would be.
      if ((in.field() == 4 || in.field() == 10) && in.is_bytes()) tensor.raw = in.bytes();
      if (in.field() == 8) tensor.name = in.bytes();
      if (in.field() == 9) tensor.raw = in.bytes();
      if (in.field() == 13) external(in.bytes(), tensor.name, place);
      if (in.field() == 14) is_external = in.integer() == kExternal;
    }
    if (is_external) tensor.external = std::move(place);
    if (is_external) tensor.raw = {};
    return tensor;
  }

  Dim dim(std::string_view message) const {
    Dim dim = std::string();
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 1) dim = in.integer();
      if (in.field() == 2) dim = std::string(in.bytes());
    }
    return dim;
  }

  void tensor_type(std::string_view message, ValueInfo& value) const {
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 1) value.type = static_cast<Type>(in.integer());
      if (in.field() != 2) continue;
      for (ProtobufReader shape = fields(in.bytes()); shape.next();) {
        if (shape.field() == 1) value.shape.push_back(dim(shape.bytes()));
      }
    }
  }

  ValueInfo value(std::string_view message) const {
    ValueInfo value;
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 1) value.name = in.bytes();
      if (in.field() != 2) continue;
      for (ProtobufReader type = fields(in.bytes()); type.next();) {
        if (type.field() == 1) tensor_type(type.bytes(), value);
      }
    }
    return value;
  }

  void graph(std::string_view message, Model& model) const {
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 1) model.nodes.push_back(node(in.bytes()));
      if (in.field() == 2) model.graph_name = in.bytes();
      if (in.field() == 5) model.initializers.push_back(initializer(in.bytes()));
      if (in.field() == 11) model.inputs.push_back(value(in.bytes()));
      if (in.field() == 12) model.outputs.push_back(value(in.bytes()));
      if (in.field() == 15) model.unread = "sparse_initializer";
    }
  }

  std::pair<std::string, std::int64_t> operator_set(std::string_view message) const {
    std::pair<std::string, std::int64_t> set;
    for (ProtobufReader in = fields(message); in.next();) {
      if (in.field() == 1) set.first = in.bytes();
      if (in.field() == 2) set.second = in.integer();
    }
    return set;
  }
};

}  // namespace

bool recognizes(Bytes file) {
  // Field 1, a version of at most 100; then the producer's name or what else a ModelProto has.
  constexpr std::array kNext = {0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42};
  const auto at = [&](std::size_t i) { return std::to_integer<int>(file[i]); };
  return file.size() > 3 && at(0) == 0x08 && at(1) >= 1 && at(1) <= 100 &&
         std::find(kNext.begin(), kNext.end(), at(2)) != kNext.end();
}

Model read(Bytes file, const std::string& where) {
  const Reader reader{where};
  Model model;
  model.ir_version = 0;
  for (ProtobufReader in = reader.fields(as_text(file)); in.next();) {
    if (in.field() == 1) model.ir_version = in.integer();
    if (in.field() == 2) model.producer = in.bytes();
    if (in.field() == 7) reader.graph(in.bytes(), model);
    if (in.field() == 8) model.operator_sets.push_back(reader.operator_set(in.bytes()));
    if (in.field() == 25) model.unread = "functions";
  }
  return model;
}

}  // namespace zp::onnx
