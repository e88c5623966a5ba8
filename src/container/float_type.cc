#include "container/float_type.h"

#include <array>

namespace zp {
namespace {

constexpr std::array kFloatTypes = {
    FloatType{DType::f32, "fp32", "float32", ScaleType::s32},
    FloatType{DType::f16, "fp16", "float16", ScaleType::s16},
    FloatType{DType::bf16, "bf16", "bfloat16", ScaleType::sbf16},
};

}  // namespace

const FloatType* float_type_of_grid(std::string_view spec) {
  for (const FloatType& t : kFloatTypes) {
    if (t.grid == spec) return &t;
  }
  return nullptr;
}

const FloatType* float_type_of_scale(ScaleType scale) {
  for (const FloatType& t : kFloatTypes) {
    if (t.scale == scale) return &t;
  }
  return nullptr;
}

const FloatType& float_type_for(std::string_view stored_type) {
  if (const FloatType* same = float_type_of_grid(stored_type)) return *same;
  return *float_type_of_grid(stored_type == "fp64" ? "fp32" : "bf16");
}

const FloatType* float_type_in(const Grid& grid) {
  const AffineForm* f = grid.affine();
  return f != nullptr ? float_type_of_scale(f->scale) : float_type_of_grid(grid.spec());
}

void FloatVote::add(const FloatType& type, const TensorUse& use) {
  for (auto& [known, count] : parameters_) {
    if (known == &type) {
      count += use.rows * use.cols;
      return;
    }
  }
  parameters_.emplace_back(&type, use.rows * use.cols);
}

const FloatType& FloatVote::winner() const {
  const FloatType* best = float_type_of_grid("bf16");
  std::int64_t most = 0;
  for (const auto& [type, count] : parameters_) {
    if (count > most) {
      best = type;
      most = count;
    }
  }
  return *best;
}

const FloatType& float_type_of(const Model& model) {
  FloatVote types;
  for (const Weight& w : model.weights) types.add(float_type_for(w.stored_type), w.use);
  return types.winner();
}

}  // namespace zp
