// OpenVINO models: the constants of their graph, which lie in a second file, as tensors.
//
// Of a graph this program wrote, codes, scales and zero-points (container/openvino_weights.h) become
// one tensor with names and orientation of MLX's world; constants that aren't named as a module's
// weights are the graph's own. Of other graphs the constants are listed alone: what they compute is
// not read. The graph stays in the checkpoint, for whoever compares it with the one that config.json
// describes (container/openvino_graph.h).
#include "format/openvino.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "source/checkpoint.h"
#include "source/folder.h"
#include "source/grid_rows.h"
#include "tensor/dtype.h"

namespace zp {
namespace {

using openvino::Constant;

constexpr PlaneForm kForm = {.along = WordsAlong::tensor};
// Of two codes our codebooks have the first in the high half of a byte.
constexpr PlaneForm kSwapped = {.along = WordsAlong::tensor, .order = {1, 0, 3, 2, 5, 4, 7, 6}};

/// Codes by the types of their elements and of their scales.
struct Kind {
  std::string_view codes;
  std::string_view scales;  ///< empty: any floats, which the grid's name says
  bool zeros;
  std::string_view grid;   ///< before its group and scale
  std::int64_t group = 0;  ///< that it has; 0: any, which its name says
  PlaneForm form = kForm;
};
constexpr std::array kKinds = {
    Kind{"i4", "", false, "int4:sym"},
    Kind{"i8", "", false, "int8:sym"},
    Kind{"u2", "", true, "uint2:zero"},
    Kind{"u4", "", true, "uint4:zero"},
    Kind{"u8", "", true, "uint8:zero"},
    Kind{"nf4", "f32", false, "nf4", 0, kSwapped},
    Kind{"f4e2m1", "f8e8m0", false, "mxfp4", 32},
    Kind{"f4e2m1", "f8e4m3", false, "nvfp4", 16},
    Kind{"f8e4m3", "f8e8m0", false, "mxfp8", 32},
};

class Reader {
 public:
  Reader(Bytes xml, const std::string& where, Checkpoint& checkpoint)
      : where_(where),
        checkpoint_(checkpoint),
        graph_(checkpoint.openvino_graph.emplace(openvino::read(xml, where))) {}

  void read() {
    const bool own = graph_.producer == openvino::kOwnProducer;
    if (own) checkpoint_.world = World::mlx;
    for (Constant& c : graph_.constants) {
      if (!by_name_.emplace(c.name, &c).second) throw Error(place(c), "constant stands twice");
      c.data = data_of(c);
    }
    for (const Constant& c : graph_.constants) {
      if (own && !c.is_weight()) continue;
      if (own && is_part(c)) continue;
      if (own && part(c, ".scales") != nullptr) {
        add_codes(c);
      } else {
        add_plain(c);
      }
    }
  }

 private:
  std::string place(const Constant& c) const {
    return where_ + ": tensor \"" + printable(c.name) + "\"";
  }

  Bytes data_of(const Constant& c) {
    if (data_.data() == nullptr) {
      if (checkpoint_.folder.empty())
        throw Error(place(c), "data in another file, which isn't here");
      const std::string name = std::filesystem::path(where_).stem().string() + ".bin";
      checkpoint_.files.push_back(std::make_unique<MappedFile>(
          file_beside(where_, name, place(c), "data in \"" + printable(name) + "\"")));
      data_ = checkpoint_.files.back()->bytes();
    }
    const auto size = std::ssize(data_);
    if (checked_add(c.offset, c.bytes, place(c)) > size) {
      throw Error(place(c), "data past the end of the second file",
                  std::to_string(c.offset) + " + " + std::to_string(c.bytes) + " bytes",
                  std::to_string(size));
    }
    return data_.subspan(static_cast<std::size_t>(c.offset), static_cast<std::size_t>(c.bytes));
  }

  // Of the module whose weight that is.
  const Constant* part(const Constant& weight, std::string_view name) const {
    const auto found =
        by_name_.find(weight.name.substr(0, weight.name.rfind('.')) + std::string(name));
    return found == by_name_.end() || found->second == &weight ? nullptr : found->second;
  }

  // Scales and zero-points, which go with codes.
  bool is_part(const Constant& c) const {
    return (c.name.ends_with(".scales") || c.name.ends_with(".zero_points")) &&
           part(c, ".weight") != nullptr;
  }

  void add_plain(const Constant& c) {
    Tensor tensor;
    tensor.name = c.name;
    tensor.shape = c.shape;
    tensor.bytes = c.bytes;
    tensor.type = c.type;
    if (const std::optional<DType> dtype = openvino::dtype_of(c.type)) {
      tensor.type = info(*dtype).name;
      tensor.stored = c.data;
      const auto [rows, cols] = matrix_shape(c.shape, place(c));
      if (info(*dtype).floating) tensor.rows = stored_rows(c.data, *dtype, rows, cols);
    }
    checkpoint_.add(std::move(tensor), where_);
  }

  // [rows, groups, group], or of rows that are one group [rows, columns].
  void add_codes(const Constant& codes) {
    const Constant& scales = *part(codes, ".scales");
    const Constant* zeros = part(codes, ".zero_points");
    const auto kind = std::ranges::find_if(kKinds, [&](const Kind& k) {
      return k.codes == codes.type && (k.scales.empty() || k.scales == scales.type) &&
             k.zeros == (zeros != nullptr);
    });
    const bool grouped = codes.shape.size() == 3;
    const std::string_view scale = scale_word_of(scales.type);
    if (kind == kKinds.end() || (!grouped && codes.shape.size() != 2) ||
        (kind->scales.empty() && scale.empty()) ||
        (kind->group > 0 && (!grouped || codes.shape[2] != kind->group)))
      throw Error(place(codes), "codes of a form that isn't known",
                  "i4, i8, u2, u4 or u8 with floating scales, nf4, mxfp4, mxfp8 or nvfp4");
    std::string spec(kind->grid);
    if (kind->group == 0) spec += grouped ? ":g" + std::to_string(codes.shape[2]) : ":channel";
    if (kind->scales.empty()) spec += ":" + std::string(scale);

    Tensor tensor;
    tensor.name = codes.name;
    const std::int64_t rows = codes.shape[0];
    const std::int64_t cols =
        grouped ? checked_mul(codes.shape[1], codes.shape[2], place(codes)) : codes.shape[1];
    tensor.shape = {rows, cols};
    std::vector<PackedPlane> planes = {{codes.data, kind->form}, {scales.data, kForm}};
    if (zeros != nullptr) planes.push_back({zeros->data, kForm});
    for (const PackedPlane& plane : planes) tensor.bytes += std::ssize(plane.bytes);
    std::unique_ptr<Grid> grid = make_grid(spec);
    tensor.type = grid->spec();
    if (rows > 0 && cols > 0)
      tensor.rows = grid_rows(std::move(planes), std::move(grid), rows, cols);
    if (tensor.rows == nullptr)
      throw Error(place(codes), "codes, scales and zero-points don't fit each other");
    checkpoint_.add(std::move(tensor), where_);
  }

  static std::string_view scale_word_of(std::string_view type) {
    const std::optional<DType> dtype = openvino::dtype_of(type);
    return dtype ? scale_word(info(*dtype).name) : std::string_view();
  }

  const std::string& where_;
  Checkpoint& checkpoint_;
  openvino::Graph& graph_;
  std::map<std::string, const Constant*> by_name_;
  Bytes data_;
};

void read(Bytes file, const std::string& where, Checkpoint& checkpoint) {
  Reader(file, where, checkpoint).read();
}

}  // namespace

extern const SourceKind source_openvino;
const SourceKind source_openvino = {
    "openvino", "OpenVINO models that this program wrote; of others the constants alone",
    openvino::recognizes, read};

}  // namespace zp
