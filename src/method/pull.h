// What a coded tile still owes its layer's outputs: G = (W - Q) H, kept up as codes change. Half
// the gradient of f = tr((W - Q) H (W - Q)^T).
#pragma once

#include <vector>

#include "method/coded_tile.h"

namespace zp {

class Pull {
 public:
  /// Borrows h: cols x cols, with a positive diagonal.
  Pull(Matrix w, Matrix h, const CodedTile& tile);

  Matrix h() const { return h_; }
  Matrix all() const { return {g_.data(), rows_, h_.cols}; }
  /// Column j of row r's values grew by `change`.
  void changed(std::int64_t r, std::int64_t j, float change);

 private:
  Matrix h_;
  std::int64_t rows_;
  std::vector<float> g_;
};

}  // namespace zp
