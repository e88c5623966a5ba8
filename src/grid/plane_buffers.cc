#include "grid/plane_buffers.h"

#include <algorithm>

namespace zp {

std::vector<std::byte*> make_room(const Grid& grid, std::int64_t rows, std::int64_t cols,
                                  PlaneBuffers& planes) {
  const std::size_t count = grid.planes().size();
  planes.resize(std::max(planes.size(), count));
  std::vector<std::byte*> out;
  for (std::size_t p = 0; p < count; ++p) {
    planes[p].resize(static_cast<std::size_t>(rows * grid.row_bytes(p, cols)));
    out.push_back(planes[p].data());
  }
  return out;
}

void decode(const Grid& grid, const PlaneBuffers& planes, View2D<float> out) {
  std::vector<const std::byte*> in;
  for (std::size_t p = 0; p < grid.planes().size(); ++p) in.push_back(planes[p].data());
  grid.decode(in, out);
}

}  // namespace zp
