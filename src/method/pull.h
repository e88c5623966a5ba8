// What a coded tile still owes its layer's outputs: G = (W - Q) H, kept up as codes change. Half
// the gradient of f = tr((W - Q) H (W - Q)^T).
//
// Codes change in one window of columns after another. Inside the window G follows every change;
// the other columns follow when it is closed.
#pragma once

#include <vector>

#include "method/coded_tile.h"

namespace zp {

class Pull {
 public:
  /// Borrows h: cols x cols, with a positive diagonal.
  Pull(Matrix w, Matrix h, const CodedTile& tile);

  Matrix h() const { return h_; }
  /// Columns [begin, end) are looked at from now on.
  void open(std::int64_t begin, std::int64_t end);
  /// Column j of the window, of every row.
  Floats column(std::int64_t j) const;
  /// Values of column j of the window fell by `by`, of every row; the window's columns from `from`
  /// on are to follow.
  void fell(std::int64_t j, Floats by, std::int64_t from);
  void close();
  /// tr((W - Q) H (W - Q)^T) without H's damping, as InputStatistics has it; w, tile: as at the
  /// beginning, as they are now.
  double left(Matrix w, const CodedTile& tile, Floats damping) const;

 private:
  Matrix h_;
  std::int64_t rows_;
  std::int64_t stride_;
  std::vector<float> g_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::vector<float> window_;   // G's columns, one behind the other
  std::vector<float> changes_;  // by which values fell, likewise
};

}  // namespace zp
