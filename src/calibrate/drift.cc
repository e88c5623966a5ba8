#include "calibrate/drift.h"

#include <algorithm>
#include <functional>

namespace zp {

void Drift::add(Matrix came, Matrix expected, const Team& team) {
  moments.add(came, team);
  std::vector<float> apart(static_cast<std::size_t>(expected.rows * expected.cols));
  const View2D<float> d(apart.data(), expected.rows, expected.cols);
  for (std::int64_t r = 0; r < d.rows; ++r)
    std::ranges::transform(expected.row(r), came.row(r), d.row(r).begin(), std::minus());
  add_products(came, d, {sums.data(), d.cols, d.cols}, team);
}

}  // namespace zp
