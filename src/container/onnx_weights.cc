#include "container/onnx_weights.h"

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "container/float_type.h"

namespace zp {
namespace {

constexpr std::array kBits = {2, 4, 8};
constexpr std::array<std::int64_t, 5> kGroups = {16, 32, 64, 128, 256};

// Codes counted from the lowest.
PlaneForm from_lowest(const AffineForm& form) {
  return {.add = form.is_signed ? 1u << (form.bits - 1) : 0};
}

OnnxPlane codes_plane(const Assignment& a, std::string name, bool looked_up) {
  const AffineForm& form = *onnx_form(*a.grid);
  const std::int64_t rows = a.weight->use.rows;
  const std::int64_t cols = a.weight->use.cols;
  std::vector<std::int64_t> shape = {rows, cols * form.bits / 8};
  if (!looked_up && a.weight->use.experts == 0)
    shape = {rows, cols / form.group, form.group * form.bits / 8};
  return {std::move(name), onnx::Type::u8, std::move(shape), from_lowest(form)};
}

}  // namespace

constinit const std::string_view kOnnxHolds =
    "ONNX Runtime computes with fp32, fp16, bf16 and [u]int2, [u]int4, [u]int8 in groups of 16, "
    "32, 64, 128 or 256, \"sym\", \"restricted\" or \"zero\", scales s32, s16 or sbf16, and nf4 "
    "and fp4 in such groups";

constinit const std::string_view kOnnxHoldsOfExperts =
    "ONNX Runtime computes experts with fp32, fp16, bf16 and [u]int4, [u]int8 in groups of 16, 32, "
    "64, 128 or 256, \"sym\", \"restricted\" or \"zero\": `set` gate,up,down to one of these";

const AffineForm* onnx_form(const Grid& grid) {
  const AffineForm* f = grid.affine();
  if (f == nullptr || f->offset == Offset::min || f->grouping != Grouping::group) return nullptr;
  const bool held = std::find(kBits.begin(), kBits.end(), f->bits) != kBits.end() &&
                    std::find(kGroups.begin(), kGroups.end(), f->group) != kGroups.end() &&
                    float_type_of_scale(f->scale) != nullptr;
  return held ? f : nullptr;
}

bool is_looked_up(const TensorUse& use) {
  return use.place.role == Role::embedding || use.place.role == Role::position;
}

std::optional<OnnxCodebook> onnx_codebook(const Grid& grid) {
  constexpr std::array<std::string_view, 2> kNames = {"fp4", "nf4"};
  if (grid.family() != Family::codebook) return std::nullopt;
  const std::int64_t group = grid.shape(1).block;
  const auto* name = std::ranges::find(kNames, grid.planes()[0].type_name);
  if (name == kNames.end() || std::find(kGroups.begin(), kGroups.end(), group) == kGroups.end())
    return std::nullopt;
  return OnnxCodebook{name - kNames.begin(), group};
}

bool onnx_holds_codes(const Grid& grid, const TensorUse& use) {
  const AffineForm* form = onnx_form(grid);
  // What experts read is rounded there where their codes have 2 bits.
  if (use.experts > 0) return form != nullptr && form->bits >= 4;
  return form != nullptr || onnx_codebook(grid);
}

Verdict onnx_accepts(const Grid& grid, const TensorUse& use) {
  if (float_type_of_grid(grid.spec()) != nullptr) return {true, {}};
  if (!onnx_holds_codes(grid, use))
    return {false, std::string(use.experts > 0 ? kOnnxHoldsOfExperts : kOnnxHolds)};
  const AffineForm* form = onnx_form(grid);
  const std::optional<OnnxCodebook> book = onnx_codebook(grid);
  if (!use.is_matrix()) return {false, "norms and biases stay in floating point"};
  if (book && is_looked_up(use))
    return {false, "ONNX Runtime looks nothing up in codebooks of this kind"};
  const std::int64_t group = book ? book->group : form->group;
  std::string why = why_no_multiple(use.cols, group);
  // An expert's matrices have one group size, and one's rows are another's columns.
  if (why.empty() && use.experts > 0) why = why_no_multiple(use.rows, group);
  const bool repacked = form != nullptr && form->is_signed;
  return {why.empty(), why, repacked ? Fidelity::repacked : Fidelity::exact};
}

std::string onnx_path(const TensorUse& use) { return use.module.substr(0, use.module.rfind('.')); }

std::int64_t OnnxPlane::bytes() const {
  std::int64_t bytes = info(*onnx::dtype_of(type)).bytes;
  for (const std::int64_t n : shape) bytes = checked_mul(bytes, n, name);
  return bytes;
}

namespace {

// X of X.gate_proj and X.up_proj becomes that of X.gate_up_proj.
std::string stacked_path(const TensorUse& use) {
  std::string path = onnx_path(use);
  if (use.place.role == Role::down) return path;
  return path.substr(0, path.rfind('.') + 1) + std::string(onnx::kGateUp);
}

// Planes of one expert among those of all.
void stack(std::vector<OnnxPlane>& planes, const TensorUse& use) {
  const std::int64_t turns = use.place.role == Role::down ? 1 : 2;
  const std::int64_t first =
      turns * use.place.expert * use.rows + (use.place.role == Role::up ? 1 : 0);
  for (OnnxPlane& plane : planes) {
    const std::int64_t row = plane.bytes() / use.rows;
    plane.form.spacing = turns;
    plane.begin = first * row;
    plane.shape[0] *= turns;
    plane.shape.insert(plane.shape.begin(), use.experts);
  }
}

std::vector<OnnxPlane> planes_alone(const Assignment& a, const std::string& path) {
  const TensorUse& use = a.weight->use;
  const AffineForm* form = onnx_form(*a.grid);
  if (const auto book = onnx_codebook(*a.grid)) {
    const std::int64_t count = use.rows * use.cols;
    return {{path + std::string(kOnnxCodes), onnx::Type::u8, {count / 2}},
            {path + std::string(kOnnxScales), onnx::Type::f32, {count / book->group}}};
  }
  if (form == nullptr) {
    std::vector<std::int64_t> shape = {use.rows, use.cols};
    if (!use.is_matrix()) shape = {use.cols};
    const DType type = float_type_of_grid(a.grid->spec())->dtype;
    const std::string end = use.module.substr(use.module.rfind('.'));
    return {{path + end, onnx::type_of(type), std::move(shape)}};
  }
  const std::int64_t groups = use.cols / form->group;
  std::vector<OnnxPlane> planes = {
      codes_plane(a, path + std::string(kOnnxCodes), is_looked_up(use)),
      {path + std::string(kOnnxScales),
       onnx::type_of(float_type_of_scale(form->scale)->dtype),
       {use.rows, groups}}};
  if (form->offset == Offset::zero) {
    planes.push_back({path + std::string(kOnnxZeros),
                      onnx::Type::u8,
                      {use.rows, ceil_div(groups * form->bits, 8)},
                      from_lowest(*form)});
  }
  return planes;
}

}  // namespace

std::vector<OnnxPlane> onnx_planes(const Assignment& a) {
  const TensorUse& use = a.weight->use;
  if (use.experts == 0) return planes_alone(a, onnx_path(use));
  std::vector<OnnxPlane> planes = planes_alone(a, stacked_path(use));
  stack(planes, use);
  return planes;
}

OnnxPlane onnx_head_codes(const Assignment& a) {
  return codes_plane(a, onnx_path(a.weight->use) + ".head" + std::string(kOnnxCodes), false);
}

}  // namespace zp
