#include "method/descent.h"

#include <algorithm>
#include <vector>

namespace zp {

void descend(float limit, CodedTile& tile, Pull& pull) {
  if (tile.shape().step > 1) return;
  std::vector<float> before(static_cast<std::size_t>(tile.rows()));
  std::vector<float> wanted(before.size());
  for (std::int64_t j = 0; j < tile.cols(); ++j) {
    const Matrix values = tile.values().columns(j, 1);
    const float own = pull.h().row(j)[static_cast<std::size_t>(j)];
    for (std::int64_t r = 0; r < tile.rows(); ++r) {
      const float value = values.row(r)[0];
      before[static_cast<std::size_t>(r)] = value;
      wanted[static_cast<std::size_t>(r)] =
          std::clamp(value + pull.all().row(r)[static_cast<std::size_t>(j)] / own, -limit, limit);
    }
    tile.encode(j, {wanted.data(), tile.rows(), 1});
    for (std::int64_t r = 0; r < tile.rows(); ++r)
      pull.changed(r, j, values.row(r)[0] - before[static_cast<std::size_t>(r)]);
  }
}

}  // namespace zp
