// The planes of some rows, in memory of their own.
#pragma once

#include <vector>

#include "grid/grid.h"

namespace zp {

/// Plane after plane; there may be more than the grid at hand has.
using PlaneBuffers = std::vector<std::vector<std::byte>>;

/// Makes room for the grid's planes of rows x cols, and says where each begins.
std::vector<std::byte*> make_room(const Grid& grid, std::int64_t rows, std::int64_t cols,
                                  PlaneBuffers& planes);

/// Grid::decode() of them.
void decode(const Grid& grid, const PlaneBuffers& planes, View2D<float> out);

}  // namespace zp
