#include "method/pull.h"

#include <algorithm>
#include <functional>

#include "kernel/functions.h"
#include "kernel/matmul.h"

namespace zp {

Pull::Pull(Matrix w, Matrix h, const CodedTile& tile)
    : h_(h), rows_(w.rows), g_(static_cast<std::size_t>(w.rows * w.cols)) {
  std::vector<float> apart(g_.size());
  const View2D<float> d(apart.data(), w.rows, w.cols);
  for (std::int64_t r = 0; r < w.rows; ++r)
    std::ranges::transform(w.row(r), tile.values().row(r), d.row(r).begin(), std::minus());
  matmul(d, h, {g_.data(), w.rows, w.cols});
}

void Pull::changed(std::int64_t r, std::int64_t j, float change) {
  if (change == 0) return;
  add_scaled(std::span(g_).subspan(static_cast<std::size_t>(r * h_.cols),
                                   static_cast<std::size_t>(h_.cols)),
             h_.row(j), -change);
}

}  // namespace zp
