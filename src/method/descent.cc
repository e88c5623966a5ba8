#include "method/descent.h"

#include <algorithm>
#include <vector>

#include "kernel/matmul.h"

namespace zp {
namespace {

class Descent {
 public:
  Descent(Matrix w, Matrix h, float limit, CodedTile& tile)
      : h_(h),
        limit_(limit),
        tile_(tile),
        pull_(static_cast<std::size_t>(w.rows * w.cols)),
        before_(static_cast<std::size_t>(w.rows)),
        wanted_(before_.size()) {
    std::vector<float> apart(pull_.size());
    const View2D<float> d(apart.data(), w.rows, w.cols);
    for (std::int64_t r = 0; r < w.rows; ++r)
      std::ranges::transform(w.row(r), tile.values().row(r), d.row(r).begin(), std::minus());
    matmul(d, h, pull());
  }

  void column(std::int64_t j) {
    const Matrix values = tile_.values().columns(j, 1);
    const Floats of_column = h_.row(j);
    const float own = of_column[static_cast<std::size_t>(j)];
    for (std::size_t r = 0; r < before_.size(); ++r) {
      const auto row = static_cast<std::int64_t>(r);
      before_[r] = values.row(row)[0];
      const float wanted = before_[r] + pull().row(row)[static_cast<std::size_t>(j)] / own;
      wanted_[r] = std::clamp(wanted, -limit_, limit_);
    }
    tile_.encode(j, {wanted_.data(), values.rows, 1});
    for (std::size_t r = 0; r < before_.size(); ++r) {
      const float change = values.row(static_cast<std::int64_t>(r))[0] - before_[r];
      if (change == 0) continue;
      const std::span<float> row = pull().row(static_cast<std::int64_t>(r));
      for (std::size_t k = 0; k < row.size(); ++k) row[k] -= change * of_column[k];
    }
  }

 private:
  View2D<float> pull() {
    return {pull_.data(), static_cast<std::int64_t>(before_.size()), h_.cols};
  }

  Matrix h_;
  float limit_;
  CodedTile& tile_;
  std::vector<float> pull_;    // G
  std::vector<float> before_;  // of the column under way
  std::vector<float> wanted_;
};

}  // namespace

void descend(Matrix w, Matrix h, float limit, int sweeps, CodedTile& tile) {
  if (tile.shape().step > 1 || sweeps == 0) return;
  Descent descent(w, h, limit, tile);
  for (int i = 0; i < sweeps; ++i) {
    for (std::int64_t j = 0; j < w.cols; ++j) descent.column(j);
  }
}

}  // namespace zp
