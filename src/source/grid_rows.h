// Weights of a quantized file, decoded row by row through their grid.
#pragma once

#include <memory>

#include "base/view.h"
#include "grid/grid.h"
#include "tensor/rows.h"

namespace zp {

/// Borrows `bytes`: rows x the grid's row bytes. nullptr when the grid keeps its bytes in several
/// planes or doesn't make rows of that length of exactly these bytes.
std::unique_ptr<RowReader> grid_rows(Bytes bytes, std::unique_ptr<Grid> grid, std::int64_t rows,
                                     std::int64_t cols);

}  // namespace zp
