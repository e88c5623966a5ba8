#include "method/moved_moments.h"

#include <algorithm>

namespace zp {

std::vector<float> moved_moments(Matrix moments, const Change& change) {
  const std::int64_t cols = moments.cols;
  std::vector<float> inverse(static_cast<std::size_t>(cols), 1.0f);
  for (std::size_t j = 0; j < change.column_factors.size(); ++j)
    inverse[j] = change.column_factors[j] == 0 ? 0.0f : 1 / change.column_factors[j];
  std::vector<float> out(static_cast<std::size_t>(cols * cols));
  const View2D<float> h(out.data(), cols, cols);
  for (std::int64_t i = 0; i < cols; ++i) {
    const float own = inverse[static_cast<std::size_t>(i)];
    for (std::size_t j = 0; j < inverse.size(); ++j)
      h.row(i)[j] = moments.row(i)[j] * own * inverse[j];
    if (!change.column_rotation.empty()) rotate(change.column_rotation, h.row(i));
  }
  if (!change.column_rotation.empty()) rotate_columns(change.column_rotation, 0, h);
  return out;
}

}  // namespace zp
