// Weights of a quantized file, decoded row by row through their grid.
#pragma once

#include <memory>
#include <vector>

#include "base/view.h"
#include "grid/grid.h"
#include "tensor/rows.h"

namespace zp {

/// Borrows `planes`: for each of the grid's, rows x its row bytes. nullptr when the grid has other
/// planes or doesn't make rows of that length of exactly these bytes.
std::unique_ptr<RowReader> grid_rows(std::vector<Bytes> planes, std::unique_ptr<Grid> grid,
                                     std::int64_t rows, std::int64_t cols);

}  // namespace zp
