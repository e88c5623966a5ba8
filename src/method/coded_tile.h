// A tile of rows being coded, one step of columns after another and in any order: parameters,
// codes, and the values they decode to. Columns of all rows lie one behind the other: the rows go
// side by side through everything that takes column after column.
#pragma once

#include <cstdint>
#include <vector>

#include "grid/grid.h"

namespace zp {

class CodedTile {
 public:
  /// Borrows the grid.
  CodedTile(const Grid& grid, std::int64_t rows, std::int64_t cols);

  const GridShape& shape() const { return shape_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t blocks() const { return blocks_; }
  /// The column behind the block, unit or step that column j is of.
  std::int64_t block_end(std::int64_t j) const;
  std::int64_t unit_end(std::int64_t j) const;
  std::int64_t step_end(std::int64_t j) const;

  // w: rows x (the columns from j to the end of the block | unit | step), within grid.limit();
  // importance: of these columns. REQUIRES: a block is opened before its units, a unit before its
  // steps, all columns encoded before pack().
  void open_block(std::int64_t j, Matrix w, Floats importance);
  void open_unit(std::int64_t j, Matrix w, Floats importance);
  /// w: (one or more steps of one unit) x rows.
  void encode(std::int64_t j, Matrix w);

  /// What columns [begin, begin + count) decode to: count x rows.
  Matrix columns(std::int64_t begin, std::int64_t count) const {
    return Matrix(values_.data(), cols_, rows_).rows_from(begin, count);
  }
  Floats column(std::int64_t j) const { return Matrix(values_.data(), cols_, rows_).row(j); }
  void pack(PlanesOut out) const;

  /// All that is known of some columns of one block, of every row.
  struct Part {
    std::vector<std::byte> params;  // of the block
    std::vector<Code> codes;        // column after column
    std::vector<float> values;
  };
  Part part(std::int64_t begin, std::int64_t end);
  /// Row r as it was.
  void put_back(std::int64_t begin, const Part& part, std::int64_t r);

 private:
  /// Of the block of column j.
  std::span<std::byte> params(std::int64_t j);

  const Grid& grid_;
  std::int64_t rows_;
  std::int64_t cols_;
  GridShape shape_;
  std::int64_t params_bytes_;
  std::int64_t blocks_;
  std::vector<std::byte> params_;  // [block][row]
  std::vector<Code> codes_;        // [column][row]
  std::vector<float> values_;
  // Of some steps, row after row.
  std::vector<float> step_weights_;
  std::vector<Code> step_codes_;
  std::vector<float> step_values_;
};

}  // namespace zp
