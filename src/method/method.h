// Methods: coders choose a code for every weight.
#pragma once

#include <span>
#include <string_view>

#include "grid/grid.h"

namespace zp {

/// What is known of the inputs x of a linear layer: plain data. Empty: nothing.
struct InputStatistics {
  Floats importance;  ///< of each column
  /// cols x cols, lower triangular: the transpose of U, upper triangular with U^T U the inverse of
  /// the damped second moments (feedback.h).
  Matrix feedback;
};

/// A coder, as data. Const use from many threads is safe.
struct Method {
  std::string_view name;
  std::string_view summary;
  Fit fit;                ///< how it fits parameters
  bool feedback = false;  ///< asks for InputStatistics::feedback, and codes as mse does without
  /// w: rows x cols, a tile of whole rows; out: the planes of these rows. Weights must be finite
  /// and within grid.limit().
  void (*code)(const Grid& grid, Matrix w, const InputStatistics& inputs, PlanesOut out);
};

std::span<const Method* const> methods();
/// Throws UsageError naming the methods there are.
const Method& find_method(std::string_view name);

}  // namespace zp
