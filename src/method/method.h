// Methods: coders choose a code for every weight.
#pragma once

#include <span>
#include <string_view>

#include "grid/grid.h"

namespace zp {

/// A coder, as data. Const use from many threads is safe.
struct Method {
  std::string_view name;
  std::string_view summary;
  Fit fit;  ///< how it fits parameters
  /// w: rows x cols, a tile of whole rows; h: importance of each column, or empty; out: the planes
  /// of these rows. Weights must be finite and within grid.limit().
  void (*code)(const Grid& grid, Matrix w, Floats h, PlanesOut out);
};

std::span<const Method* const> methods();
/// Throws UsageError naming the methods there are.
const Method& find_method(std::string_view name);

}  // namespace zp
