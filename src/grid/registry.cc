#include <array>

#include "base/error.h"
#include "grid/grid.h"

namespace zp {

#define ZP_GRID(file) extern const GridFamily grid_##file;
#include "grid/grids.def"
#undef ZP_GRID

std::span<const GridFamily* const> grid_families() {
#define ZP_GRID(file) &grid_##file,
  static constexpr std::array all = {
#include "grid/grids.def"
  };
#undef ZP_GRID
  return all;
}

std::unique_ptr<Grid> make_grid(std::string_view spec, const AffineForm& defaults) {
  std::string known;
  for (const GridFamily* family : grid_families()) {
    if (std::unique_ptr<Grid> grid = family->make(spec, defaults)) return grid;
    known += (known.empty() ? "" : ", ") + std::string(family->spelling);
  }
  throw UsageError("grid", "unknown", known, std::string(spec));
}

}  // namespace zp
