// ONNX models: a graph of nodes over named values, and the tensors it begins with, as one protocol
// buffer (ModelProto). Large tensors lie in another file ("external data"). Source:
// onnx/onnx.proto, docs/ExternalData.md.
//
// Only what is named here is kept: of attributes numbers and text, no subgraphs, no functions.
// Whether there is more that changes what is computed, `unread` says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/view.h"
#include "format/graph.h"
#include "tensor/dtype.h"

namespace zp::onnx {

/// ModelProto.producer_name of what this program writes.
inline constexpr std::string_view kOwnProducer = "zeropoint";

/// Ends of such a program's names: of a matrix that has the rows of two by turns, and of these.
inline constexpr std::string_view kGateUp = "gate_up_proj";
inline constexpr std::string_view kGate = "gate_proj";
inline constexpr std::string_view kUp = "up_proj";

/// TensorProto.DataType. Others than these are carried as their numbers.
enum class Type : std::int32_t {
  f32 = 1,
  u8 = 2,
  i8 = 3,
  u16 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  bf16 = 16,
  f8_e4m3 = 17,
  f8_e5m2 = 19,
};
/// nullopt where ours has no such type.
std::optional<DType> dtype_of(Type type);
/// Every DType has one.
Type type_of(DType dtype);

/// A size, or the name of one that is known when the graph runs.
using Dim = std::variant<std::int64_t, std::string>;

/// An input or output of the graph.
struct ValueInfo {
  std::string name;
  Type type = Type::f32;
  std::vector<Dim> shape;
  bool operator==(const ValueInfo&) const = default;
};

struct External {
  std::string location;  ///< a file beside the model's
  std::int64_t offset = 0;
  std::optional<std::int64_t> bytes;  ///< nothing: to the file's end
  bool operator==(const External&) const = default;
};

/// A tensor the graph begins with.
struct Initializer {
  std::string name;
  Type type = Type::f32;
  std::vector<std::int64_t> shape;
  /// Little-endian elements; borrowed. Empty too for whole numbers that are written one by one.
  std::string_view raw;
  std::optional<External> external;
  bool operator==(const Initializer&) const = default;
};

struct Model {
  std::int64_t ir_version = 10;
  std::string producer;
  std::vector<std::pair<std::string, std::int64_t>> operator_sets;  ///< domain, version
  std::string graph_name;
  std::vector<GraphNode> nodes;  ///< each behind those whose values it takes
  std::vector<Initializer> initializers;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  /// The schema's name of a part that changes what is computed and isn't kept; not written.
  std::string unread = {};
  bool operator==(const Model&) const = default;
};

/// Judged from the first bytes: an IR version that exists, then fields of a ModelProto.
bool recognizes(Bytes file);
/// Tensors that aren't external borrow the file. Checks the wire format alone; shapes and external
/// places are the caller's to check. `where` begins messages. Throws Error.
Model read(Bytes file, const std::string& where);
std::vector<std::byte> write(const Model& model);

}  // namespace zp::onnx
