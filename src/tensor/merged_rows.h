// A matrix and what an adapter of low rank adds to it:
//
//   W + s B A
//
// W: rows x columns; A: r x columns; B: rows x r. Source: Hu et al., LoRA (2021).
#pragma once

#include <memory>

#include "tensor/rows.h"

namespace zp {

/// Rows of the sum as they are asked for: of each weight the products over r in ascending order by
/// fused multiply-adds, all FP32, times s, then W's added. REQUIRES: the shapes fit each other.
std::unique_ptr<RowReader> merged_rows(std::shared_ptr<const RowReader> w,
                                       std::shared_ptr<const RowReader> a,
                                       std::shared_ptr<const RowReader> b, float scale);

}  // namespace zp
