// Weights times scales that lie beside them: of the tensor, of each row, of blocks.
#pragma once

#include <cstdint>
#include <memory>

#include "tensor/rows.h"

namespace zp {

enum class ScaleUse { multiply, divide };

/// Element (r, c) is that of `of`, in FP32 times (or by) element (r / row_block, c / col_block) of
/// `scales`. nullptr where `scales` has other rows or columns than these blocks are.
std::unique_ptr<RowReader> scaled_rows(std::unique_ptr<RowReader> of,
                                       std::unique_ptr<RowReader> scales, std::int64_t row_block,
                                       std::int64_t col_block, ScaleUse use = ScaleUse::multiply);

}  // namespace zp
