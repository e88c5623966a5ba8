// Weights of a quantized file, decoded row by row through their grid.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/view.h"
#include "format/plane_form.h"
#include "grid/grid.h"
#include "tensor/rows.h"

namespace zp {

/// A grid's word for scales of a dtype; empty: none has such.
std::string_view scale_word(std::string_view type);

/// Rows of several matrices by turns: those of one.
struct Turn {
  std::int64_t index = 0;
  std::int64_t of = 1;
};

/// Borrows `planes`: for each of the grid's, rows x its row bytes. Where they are of several
/// matrices the reader has one's. nullptr when the grid has other planes or doesn't make rows of that
/// length of exactly these bytes, or the matrices haven't as many rows each.
std::unique_ptr<RowReader> grid_rows(std::vector<Bytes> planes, std::unique_ptr<Grid> grid,
                                     std::int64_t rows, std::int64_t cols, Turn turn = {});

/// The same for planes as a file packs them, unpacked while they are read.
std::unique_ptr<RowReader> grid_rows(std::vector<PackedPlane> planes, std::unique_ptr<Grid> grid,
                                     std::int64_t rows, std::int64_t cols);

}  // namespace zp
