// Round to nearest: each group's range from its smallest to its largest weight, or what an observer
// makes of the weights that share a scale (a unit: a group, a channel, the tensor). Weights beyond
// the observer's range are cut to it before the grid is fitted, so every grid takes it.
//
// An observer that asks how many levels there are (entropy) gets of a grid without a formula as
// many as its whole bits per weight.
#include <algorithm>
#include <array>
#include <vector>

#include "method/method.h"

namespace zp {
namespace {

AffineForm form_of(const Grid& grid, Matrix w) {
  if (grid.affine() != nullptr) return *grid.affine();
  AffineForm form;
  form.bits = std::clamp(static_cast<int>(grid.bits_per_weight(w.rows, w.cols)), 2, 16);
  return form;
}

void cut(std::span<float> unit, const AffineForm& form, const MethodOptions& options) {
  const Histogram histogram{Floats(unit)};
  const Range range = options.observer->range({histogram, {}}, form, options.observing);
  for (float& w : unit) w = std::clamp(w, range.lo, range.hi);
}

std::optional<double> code(const Grid& grid, Matrix w, const InputStatistics&,
                           const MethodOptions& options, PlanesOut out) {
  if (options.observer == nullptr) {
    grid.quantize(w, {}, Fit::range, out);
    return {};
  }
  const AffineForm form = form_of(grid, w);
  const GridShape shape = grid.shape(w.cols);
  std::vector<float> within;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const Floats row = w.row(r);
    within.insert(within.end(), row.begin(), row.end());
  }
  const View2D<float> all(within.data(), w.rows, w.cols);
  for (std::int64_t r = 0; r < w.rows; ++r) {
    for (std::int64_t b = 0; b < w.cols; b += shape.block) {
      const std::int64_t block_end = std::min(b + shape.block, w.cols);
      for (std::int64_t u = b; u < block_end; u += shape.unit)
        cut(all.columns(u, std::min(shape.unit, block_end - u)).row(r), form, options);
    }
  }
  grid.quantize(all, {}, Fit::range, out);
  return {};
}

constexpr std::array<std::string_view, 2> kOptions = {"observer", "percentile"};

}  // namespace

extern const Method method_nearest;
const Method method_nearest{"nearest",
                            "round to nearest, ranges from the smallest to the largest weight, or "
                            "an observer's (nearest:observer=percentile,percentile=99.9)",
                            Fit::range,
                            false,
                            code,
                            kOptions};

}  // namespace zp
