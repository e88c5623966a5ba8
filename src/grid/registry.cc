#include <array>

#include "base/named.h"
#include "grid/grid.h"
#include "grid/spelling.h"

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

std::string canonical_spelling(std::string_view spec) {
  std::string out = lower_case(spec);
  if (out == "f64" || out == "f32" || out == "f16") out.insert(1, "p");
  return out;
}

namespace {

// The names that specs begin with, for who misspells one.
std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples())
      all.push_back(spec.substr(0, spec.find(':')));
  }
  return all;
}

}  // namespace

std::unique_ptr<Grid> make_grid(std::string_view spec, const AffineForm& defaults) {
  const std::string canonical = canonical_spelling(spec);
  std::string known;
  for (const GridFamily* family : grid_families()) {
    if (std::unique_ptr<Grid> grid = family->make(canonical, defaults)) return grid;
    known += (known.empty() ? "" : ", ") + std::string(family->spelling);
  }
  const std::string meant = closest_name(canonical.substr(0, canonical.find(':')), names());
  throw UsageError("grid", "unknown" + (meant.empty() ? "" : " (did you mean " + meant + "?)"),
                   known, std::string(spec));
}

}  // namespace zp
