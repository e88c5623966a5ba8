// A module whose weight is narrow floats and scales beside them: what the layouts of FP8 and FP4
// have in common.
#pragma once

#include <array>

#include "source/scaled_rows.h"
#include "source/weight_layout.h"

namespace zp {

/// Rows and columns of weights that share a scale.
using ScaleBlock = std::array<std::int64_t, 2>;

/// The weight that is `weight` times `scales`: one of the tensor, one for each row or, of
/// [blocks of rows, blocks of columns], one for each block. Throws Error for what fits none of them.
Tensor scaled_weight(const Module& module, const Tensor& weight, const Tensor& scales,
                     const ScaleBlock& block);

/// The weight whose codes and scales of groups are the planes of `grid`; `all`, a scale of the whole
/// tensor, multiplies or divides it, nullptr: there is none. Throws Error for parts that don't fit
/// together.
Tensor microscaled_weight(const Module& module, std::string_view grid, const Tensor& codes,
                          const Tensor& scales, const Tensor* all,
                          ScaleUse use = ScaleUse::multiply);

}  // namespace zp
