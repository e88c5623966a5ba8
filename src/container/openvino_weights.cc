#include "container/openvino_weights.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "container/float_type.h"
#include "format/openvino.h"

namespace zp {
namespace {

/// Codes with scales as the graph has them.
struct Codes {
  std::string type;
  std::int64_t group;  ///< weights that share a scale; 0: a row's
  std::string scale;   ///< the type of scales
  PlaneForm form;      ///< of codes and zero-points
};

// Types of elements that hold a grid's as they are, by what its planes call them.
constexpr std::array kTypes = {
    std::pair{"nf4", "nf4"},     std::pair{"fp4_e2m1", "f4e2m1"}, std::pair{"fp8_e4m3", "f8e4m3"},
    std::pair{"e8m0", "f8e8m0"}, std::pair{"fp32", "f32"},
};

std::string type_of(const Plane& plane) {
  const auto* found =
      std::ranges::find(kTypes, plane.type_name, [](const auto& pair) { return pair.first; });
  return found == kTypes.end() ? std::string() : found->second;
}

// Codes that are a type of elements themselves, in groups. Of a codebook's the first of two is in
// the high half of a byte.
std::optional<Codes> typed_codes_of(const Grid& grid) {
  if (grid.family() != Family::codebook && grid.family() != Family::microscaled)
    return std::nullopt;
  Codes codes{type_of(grid.planes()[0]),
              grid.shape(1).block,
              type_of(grid.planes()[1]),
              {.along = WordsAlong::tensor}};
  if (codes.type.empty()) return std::nullopt;
  if (grid.family() == Family::codebook) codes.form.order = {1, 0, 3, 2, 5, 4, 7, 6};
  return codes;
}

std::optional<Codes> codes_of(const Grid& grid) {
  const AffineForm* f = grid.affine();
  if (f == nullptr) return typed_codes_of(grid);
  const FloatType* scale = float_type_of_scale(f->scale);
  const bool is_signed = f->offset != Offset::zero;
  const bool is_type = f->bits == 4 || f->bits == 8 || (f->bits == 2 && !is_signed);
  if (!is_type || f->offset == Offset::min || f->grouping == Grouping::tensor || scale == nullptr)
    return std::nullopt;
  const std::uint32_t half = 1u << (f->bits - 1);
  return Codes{(is_signed ? "i" : "u") + std::to_string(f->bits),
               f->grouping == Grouping::group ? f->group : 0,
               std::string(openvino::element_type(scale->dtype)),
               {.along = WordsAlong::tensor, .add = is_signed == f->is_signed ? 0 : half}};
}

// By tokens or positions. Of codes of 2 bits the runtime makes FP32 there while it loads.
bool is_looked_up(Role role) { return role == Role::embedding || role == Role::position; }

}  // namespace

constinit const std::string_view kOpenVinoHolds =
    "OpenVINO computes with fp32, fp16, bf16, [u]int4 and [u]int8 in groups or channels, \"sym\", "
    "\"restricted\" or \"zero\", [u]int2 with \"zero\", scales s32, s16 or sbf16, nf4, mxfp4, mxfp8 and "
    "nvfp4";

bool openvino_has_codes(const Grid& grid) { return codes_of(grid).has_value(); }

Verdict openvino_accepts(const Grid& grid, const TensorUse& use) {
  if (float_type_of_grid(grid.spec()) != nullptr) return {true, {}};
  const std::optional<Codes> codes = codes_of(grid);
  if (!codes) return {false, std::string(kOpenVinoHolds)};
  if (!use.is_matrix()) return {false, "norms and biases stay in floating point"};
  if (codes->type == "u2" && is_looked_up(use.place.role))
    return {false, "rows that are looked up have 4 bits at least"};
  std::string why = codes->group == 0 ? std::string() : why_no_multiple(use.cols, codes->group);
  // Codes change places by twos, which rows of an odd number would share.
  const bool swapped = codes->form.order != PlaneForm().order;
  if (why.empty() && swapped) why = why_no_multiple(use.cols, 2);
  const bool exact = codes->form.add == 0 && !swapped;
  return {why.empty(), why, exact ? Fidelity::exact : Fidelity::repacked};
}

std::vector<OpenVinoPlane> openvino_planes(const Assignment& a) {
  const TensorUse& use = a.weight->use;
  const std::optional<Codes> codes = codes_of(*a.grid);
  if (!codes) {
    std::vector<std::int64_t> shape = {use.rows, use.cols};
    if (!use.is_matrix()) shape = {use.cols};
    const DType type = float_type_of_grid(a.grid->spec())->dtype;
    return {{use.module, std::string(openvino::element_type(type)), std::move(shape)}};
  }
  const auto shape_of = [&](std::int64_t elements) {
    if (codes->group == 0) return std::vector{use.rows, elements};
    return std::vector{use.rows, use.cols / codes->group, elements};
  };
  const std::string path = use.module.substr(0, use.module.rfind('.'));
  std::vector<OpenVinoPlane> planes = {
      {use.module, codes->type, shape_of(codes->group == 0 ? use.cols : codes->group), codes->form},
      {path + ".scales", codes->scale, shape_of(1)}};
  if (a.grid->planes().size() > 2)
    planes.push_back({path + ".zero_points", codes->type, shape_of(1), codes->form});
  return planes;
}

}  // namespace zp
