#include "method/descent.h"

#include <algorithm>
#include <vector>

namespace zp {
namespace {

constexpr std::int64_t kWindow = 64;

}  // namespace

void descend(float limit, CodedTile& tile, ErrorGradient& gradient) {
  if (tile.shape().step > 1) return;
  const auto rows = static_cast<std::size_t>(tile.rows());
  std::vector<float> before(rows);
  std::vector<float> wanted(rows);
  for (std::int64_t begin = 0; begin < tile.cols(); begin += kWindow) {
    const std::int64_t end = std::min(begin + kWindow, tile.cols());
    gradient.open(begin, end);
    for (std::int64_t j = begin; j < end; ++j) {
      const Floats values = tile.column(j);
      const Floats slopes = gradient.column(j);
      const float own = gradient.h().row(j)[static_cast<std::size_t>(j)];
      std::ranges::copy(values, before.begin());
      for (std::size_t r = 0; r < rows; ++r)
        wanted[r] = std::clamp(values[r] + slopes[r] / own, -limit, limit);
      tile.encode(j, {wanted.data(), 1, tile.rows()});
      for (std::size_t r = 0; r < rows; ++r) before[r] -= values[r];
      gradient.follow(j, before, j + 1);
    }
    gradient.close();
  }
}

}  // namespace zp
