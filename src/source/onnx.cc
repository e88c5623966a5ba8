// ONNX models: their initializers, in the file or beside it, as tensors.
//
// Codes that MatMulNBits and GatherBlockQuantized compute with become one tensor with their scales
// and zero-points, under the codes' name; the same bytes taken twice (a tied head) are one tensor.
// What QMoE and MoE have of gate and up, rows by turns, becomes two.
// A model this program wrote has names and orientation of MLX's world, and what lies in its model
// file itself are the graph's constants, no weights. Of other models the tensors are listed alone:
// what they compute is not read. The graph stays in the checkpoint, for whoever compares it with
// the one that config.json describes (container/onnx_graph.h). Source: onnx/onnx.proto, ONNX
// Runtime docs/ContribOperators.md.
#include "format/onnx.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/checked.h"
#include "base/error.h"
#include "source/checkpoint.h"
#include "source/folder.h"
#include "source/grid_rows.h"

namespace zp {
namespace {

std::string_view scale_word(onnx::Type type) {
  return type == onnx::Type::f32    ? "s32"
         : type == onnx::Type::f16  ? "s16"
         : type == onnx::Type::bf16 ? "sbf16"
                                    : "";
}

class Reader {
 public:
  Reader(Bytes file, const std::string& where, Checkpoint& checkpoint)
      : where_(where),
        checkpoint_(checkpoint),
        model_(checkpoint.onnx_graph.emplace(onnx::read(file, where))) {}

  void read() {
    if (own()) checkpoint_.world = World::mlx;
    for (const onnx::Initializer& t : model_.initializers) {
      if (!by_name_.emplace(t.name, &t).second) throw Error(place(t), "tensor stands twice");
    }
    for (const GraphNode& node : model_.nodes) {
      if (node.op == "Cast" && node.inputs.size() == 1 && node.outputs.size() == 1)
        cast_from_[node.outputs[0]] = node.inputs[0];
    }
    for (const GraphNode& node : model_.nodes) {
      if (node.domain != "com.microsoft") continue;
      if (node.op == "MatMulNBits") add_codes(node, {1, 2, 3});
      if (node.op == "GatherBlockQuantized") add_codes(node, {0, 2, 3});
      if (node.op == "MatMulBnb4") add_codebook(node);
      if (own() && node.op == "QMoE") {
        add_experts(node, {2, 3, 11});
        add_experts(node, {5, 6, 12});
      }
      if (own() && node.op == "MoE") {
        add_float_experts(node, 2);
        add_float_experts(node, 4);
      }
    }
    for (const onnx::Initializer& t : model_.initializers) {
      if (!used_.contains(t.name) && (t.external || !own())) add_plain(t);
    }
  }

 private:
  bool own() const { return model_.producer == onnx::kOwnProducer; }
  std::string place(const onnx::Initializer& t) const {
    return where_ + ": tensor \"" + printable(t.name) + "\"";
  }

  // The initializer behind an input, through a change of its type; nullptr: none.
  const onnx::Initializer* input(const GraphNode& node, std::size_t i) const {
    if (i >= node.inputs.size()) return nullptr;
    std::string name = node.inputs[i];
    if (const auto cast = cast_from_.find(name); cast != cast_from_.end()) name = cast->second;
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  Bytes outside(const onnx::Initializer& t) {
    const onnx::External& at = *t.external;
    if (checkpoint_.folder.empty()) throw Error(place(t), "data in another file, which isn't here");
    auto known = data_.find(at.location);
    if (known == data_.end()) {
      checkpoint_.files.push_back(std::make_unique<MappedFile>(file_beside(
          where_, at.location, place(t), "data in \"" + printable(at.location) + "\"")));
      known = data_.emplace(at.location, checkpoint_.files.back()->bytes()).first;
    }
    const Bytes data = known->second;
    const auto size = static_cast<std::int64_t>(data.size());
    const std::int64_t bytes = at.bytes.value_or(std::max<std::int64_t>(0, size - at.offset));
    if (checked_add(at.offset, bytes, place(t)) > size) {
      throw Error(place(t), "data past the end of " + at.location,
                  std::to_string(at.offset) + " + " + std::to_string(bytes) + " bytes",
                  std::to_string(size));
    }
    return data.subspan(static_cast<std::size_t>(at.offset), static_cast<std::size_t>(bytes));
  }

  // Of as many bytes as the shape says.
  Bytes bytes_of(const onnx::Initializer& t, DType dtype) {
    const Bytes bytes = t.external
                            ? outside(t)
                            : Bytes(reinterpret_cast<const std::byte*>(t.raw.data()), t.raw.size());
    const auto [rows, cols] = matrix_shape(t.shape, place(t));
    const std::int64_t expected =
        checked_mul(checked_mul(rows, cols, place(t)), info(dtype).bytes, place(t));
    if (std::ssize(bytes) != expected) {
      throw Error(place(t), "wrong number of bytes", std::to_string(expected),
                  std::to_string(bytes.size()));
    }
    return bytes;
  }

  void add_plain(const onnx::Initializer& t) {
    const std::optional<DType> dtype = onnx::dtype_of(t.type);
    if (!dtype)
      throw Error(place(t), "type not supported", {},
                  std::to_string(static_cast<std::int64_t>(t.type)));
    Tensor tensor;
    tensor.name = t.name;
    tensor.type = info(*dtype).name;
    tensor.shape = t.shape;
    const auto [rows, cols] = matrix_shape(t.shape, place(t));
    if (t.external || !t.raw.empty() || info(*dtype).floating) {
      tensor.stored = bytes_of(t, *dtype);
    }
    tensor.bytes = std::ssize(tensor.stored);
    if (info(*dtype).floating) tensor.rows = stored_rows(tensor.stored, *dtype, rows, cols);
    checkpoint_.add(std::move(tensor), where_);
  }

  // Codes, scales and zero-points.
  struct Coded {
    const onnx::Initializer* codes = nullptr;
    std::int64_t bits = 0;
    std::string spec;  // of the grid
    std::vector<Bytes> planes;
  };

  // `at`: which of the node's inputs they are. Nothing where they aren't there, or were taken.
  std::optional<Coded> coded(const GraphNode& node, const std::array<std::size_t, 3>& at,
                             std::int64_t bits) {
    const onnx::Initializer* codes = input(node, at[0]);
    const onnx::Initializer* scales = input(node, at[1]);
    const onnx::Initializer* zeros = input(node, at[2]);
    if (codes == nullptr || scales == nullptr) return std::nullopt;
    for (const onnx::Initializer* part : {codes, scales, zeros}) {
      if (part != nullptr) used_.insert(part->name);
    }
    if (codes->external &&
        !taken_.emplace(codes->external->location, codes->external->offset).second) {
      return std::nullopt;
    }
    const std::int64_t block = integer_of(node, "block_size", 128);
    const std::string_view scale = scale_word(scales->type);
    const bool bytes = codes->type == onnx::Type::u8 && (!zeros || zeros->type == codes->type);
    if ((bits != 2 && bits != 4 && bits != 8) || block < 16 || block > 256 ||
        (block & (block - 1)) != 0 || scale.empty() || !bytes || codes->shape.empty()) {
      throw Error(place(*codes), "codes of a form that isn't known",
                  "uint8 with 2, 4 or 8 bits a code, blocks of 16 to 256, floating scales");
    }
    Coded found{codes,
                bits,
                "uint" + std::to_string(bits) + ":g" + std::to_string(block) +
                    (zeros != nullptr ? ":zero:" : ":sym:") + std::string(scale),
                {bytes_of(*codes, DType::u8), bytes_of(*scales, *onnx::dtype_of(scales->type))}};
    if (zeros != nullptr) found.planes.push_back(bytes_of(*zeros, DType::u8));
    return found;
  }

  // shape: of the matrices, which have as many rows together. Of several by turns, one's.
  void add_rows_of(const Coded& c, std::string name, std::vector<std::int64_t> shape,
                   std::int64_t rows, Turn turn) {
    auto grid = make_grid(c.spec);
    const std::int64_t cols = shape.back();
    Tensor tensor;
    tensor.name = std::move(name);
    tensor.type = grid->spec();
    tensor.shape = std::move(shape);
    for (const Bytes plane : c.planes) tensor.bytes += std::ssize(plane) / turn.of;
    if (rows > 0 && cols > 0) tensor.rows = grid_rows(c.planes, std::move(grid), rows, cols, turn);
    if (tensor.rows == nullptr)
      throw Error(place(*c.codes), "codes, scales and zero-points don't fit each other");
    checkpoint_.add(std::move(tensor), where_);
  }

  void add_codes(const GraphNode& node, const std::array<std::size_t, 3>& at) {
    const std::optional<Coded> found = coded(node, at, integer_of(node, "bits", 4));
    if (!found) return;
    const std::int64_t rows = found->codes->shape[0];
    const std::int64_t cols = rows > 0 ? std::ssize(found->planes[0]) / rows * 8 / found->bits : 0;
    add_rows_of(*found, found->codes->name, {rows, cols}, rows, {});
  }

  // A tensor [experts, rows, ...] of one matrix of each expert, or of two whose rows come by turns:
  // their names.
  std::vector<std::string> matrices_of(const onnx::Initializer& t) const {
    if (t.shape.size() != 3)
      throw Error(place(t), "experts of a form that isn't known", "three dimensions",
                  std::to_string(t.shape.size()));
    const std::string both = "." + std::string(onnx::kGateUp) + ".";
    const std::size_t begin = t.name.rfind(both);
    if (begin == std::string::npos) return {t.name};
    if (t.shape[1] % 2 != 0)
      throw Error(place(t), "rows of two matrices by turns are an even number", {},
                  std::to_string(t.shape[1]));
    const auto called = [&](std::string_view name) {
      return std::string(t.name).replace(begin + 1, both.size() - 2, name);
    };
    return {called(onnx::kGate), called(onnx::kUp)};
  }

  void add_experts(const GraphNode& node, const std::array<std::size_t, 3>& at) {
    const std::optional<Coded> found = coded(node, at, integer_of(node, "expert_weight_bits", 4));
    if (!found) return;
    const onnx::Initializer& codes = *found->codes;
    const std::vector<std::string> names = matrices_of(codes);
    const std::int64_t cols = checked_mul(codes.shape[2], 8, place(codes)) / found->bits;
    const std::int64_t rows = checked_mul(codes.shape[0], codes.shape[1], place(codes));
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Turn turn{static_cast<std::int64_t>(i), std::ssize(names)};
      add_rows_of(*found, names[i], {codes.shape[0], codes.shape[1] / turn.of, cols}, rows, turn);
    }
  }

  void add_float_experts(const GraphNode& node, std::size_t at) {
    const onnx::Initializer* t = input(node, at);
    if (t == nullptr || !used_.insert(t->name).second) return;
    const std::vector<std::string> names = matrices_of(*t);
    const std::optional<DType> dtype = onnx::dtype_of(t->type);
    if (!dtype || !info(*dtype).floating)
      throw Error(place(*t), "experts of another type than floats");
    const Bytes bytes = bytes_of(*t, *dtype);
    const auto [rows, cols] = matrix_shape(t->shape, place(*t));
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::int64_t turns = std::ssize(names);
      const auto begin =
          std::min(bytes.size(), i * static_cast<std::size_t>(cols * info(*dtype).bytes));
      Tensor tensor;
      tensor.name = names[i];
      tensor.type = info(*dtype).name;
      tensor.shape = {t->shape[0], t->shape[1] / turns, cols};
      tensor.bytes = std::ssize(bytes) / turns;
      tensor.rows = strided_rows(bytes.subspan(begin), *dtype, rows / turns, cols, turns * cols, 1);
      checkpoint_.add(std::move(tensor), where_);
    }
  }

  // What its two inputs hold is flat: the rows' lengths are the node's.
  void add_codebook(const GraphNode& node) {
    const onnx::Initializer* codes = input(node, 1);
    const onnx::Initializer* scales = input(node, 2);
    if (codes == nullptr || scales == nullptr) return;
    used_.insert({codes->name, scales->name});
    const std::int64_t kind = integer_of(node, "quant_type", -1);
    const std::int64_t block = integer_of(node, "block_size", -1);
    const std::int64_t rows = integer_of(node, "N", -1);
    const std::int64_t cols = integer_of(node, "K", -1);
    if ((kind != 0 && kind != 1) || block < 16 || block > 256 || rows < 1 || cols < 1 ||
        cols % block != 0 || scales->type != onnx::Type::f32 || codes->type != onnx::Type::u8) {
      throw Error(place(*codes), "codes of a form that isn't known",
                  "fp4 or nf4 in blocks of 16 to 256 that divide the rows, FP32 scales");
    }
    auto grid = make_grid((kind == 0 ? "fp4:g" : "nf4:g") + std::to_string(block));
    Tensor tensor;
    tensor.name = codes->name;
    tensor.type = grid->spec();
    const std::vector<Bytes> planes = {bytes_of(*codes, DType::u8), bytes_of(*scales, DType::f32)};
    tensor.bytes = std::ssize(planes[0]) + std::ssize(planes[1]);
    tensor.shape = {rows, cols};
    tensor.rows = grid_rows(planes, std::move(grid), rows, cols);
    if (tensor.rows == nullptr) throw Error(place(*codes), "codes and scales don't fit each other");
    checkpoint_.add(std::move(tensor), where_);
  }

  const std::string& where_;
  Checkpoint& checkpoint_;
  const onnx::Model& model_;
  std::map<std::string, const onnx::Initializer*> by_name_;
  std::map<std::string, std::string> cast_from_;
  std::map<std::string, Bytes> data_;
  std::set<std::string> used_;
  std::set<std::pair<std::string, std::int64_t>> taken_;
};

void read(Bytes file, const std::string& where, Checkpoint& checkpoint) {
  Reader(file, where, checkpoint).read();
}

}  // namespace

extern const SourceKind source_onnx;
const SourceKind source_onnx = {"onnx",
                                "ONNX models that this program wrote; of others the tensors alone",
                                onnx::recognizes, read};

}  // namespace zp
