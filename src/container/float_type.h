// The floating types that runtimes of checkpoint folders compute in, by all their names.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "grid/grid.h"
#include "model/architecture.h"
#include "tensor/dtype.h"

namespace zp {

struct FloatType {
  DType dtype;
  std::string_view grid;   ///< spec: "bf16"
  std::string_view torch;  ///< in config.json: "bfloat16"
  ScaleType scale;         ///< the scale type of affine grids for a model of this type
};

/// nullptr if `spec` is none of them.
const FloatType* float_type_of_grid(std::string_view spec);
/// nullptr for powers of two.
const FloatType* float_type_of_scale(ScaleType scale);
/// The type to go on in for weights stored as `stored_type` (a dtype's or grid's name): itself,
/// FP32 for FP64, else BF16.
const FloatType& float_type_for(std::string_view stored_type);

/// The type that a grid's scales say of the model, or the grid itself; nullptr where neither does.
const FloatType* float_type_in(const Grid& grid);

/// Counts parameters by type.
class FloatVote {
 public:
  void add(const FloatType& type, const TensorUse& use);
  /// The type of most parameters; BF16 when nothing was counted.
  const FloatType& winner() const;

 private:
  std::vector<std::pair<const FloatType*, std::int64_t>> parameters_;
};

/// The type to go on in for most of a model's weights.
const FloatType& float_type_of(const Model& model);

}  // namespace zp
