// The gradient of a coded tile's output error f = tr((W - Q) H (W - Q)^T), kept up as codes change:
// G = (W - Q) H, half of it, pointing to where f falls.
//
// Codes change in one window of columns after another. Inside the window G follows every change;
// the other columns follow when it is closed.
#pragma once

#include <vector>

#include "method/coded_tile.h"

namespace zp {

class ErrorGradient {
 public:
  /// Borrows h: cols x cols, with a positive diagonal.
  ErrorGradient(Matrix w, Matrix h, const CodedTile& tile);

  Matrix h() const { return h_; }
  /// Opens the window of columns [begin, end). REQUIRES: the one before is closed.
  void open(std::int64_t begin, std::int64_t end);
  /// Column j of the window, of every row. REQUIRES: a window is open.
  Floats column(std::int64_t j) const;
  /// Follows a change of column j of the window: its values became less by `by`, of every row. The
  /// window's columns from `from` on are brought up to date. REQUIRES: a window is open, and each of
  /// its columns changes once.
  void follow(std::int64_t j, Floats by, std::int64_t from);
  void close();
  /// tr((W - Q) H (W - Q)^T) without H's damping, as InputStatistics has it; w: as given to the
  /// constructor; tile: as it is now. REQUIRES: no window is open.
  double error(Matrix w, const CodedTile& tile, Floats damping) const;

 private:
  Matrix h_;
  std::int64_t rows_;
  std::int64_t stride_;
  std::vector<float> g_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::vector<float> window_;   // G's columns, one behind the other
  std::vector<float> changes_;  // what values became less by, likewise
};

}  // namespace zp
