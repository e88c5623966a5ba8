// Which grids hold the values of which other ones: weights go over with no loss there.
//
// It follows from what the grids say of themselves (Grid::values): whether one's levels, times a power of
// two, are among the other's, which zero-points or minima they need, whether the groups of one are
// whole groups of the other, and which numbers scales can be.
#pragma once

#include <string>

#include "grid/grid.h"

namespace zp {

struct Bridge {
  bool possible = false;
  std::string where;  ///< what stored parameters must be like for it; empty: whatever they are
};

/// Whether Grid::hold() of `to` finds values of `from`. Opaque blocks are held by themselves alone.
Bridge bridge(const Grid& from, const Grid& to);

}  // namespace zp
