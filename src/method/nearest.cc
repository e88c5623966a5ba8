// Round to nearest: each group's range from its smallest to its largest weight, or what an observer
// makes of the weights that share a scale (a unit: a group, a channel, the tensor). Weights beyond
// the observer's range are cut to it before the grid is fitted, so every grid takes it.
//
// An observer that asks how many levels there are (entropy) gets of a grid without a formula as
// many as its whole bits per weight.
#include <algorithm>
#include <vector>

#include "method/method.h"
#include "observer/observer.h"

namespace zp {
namespace {

AffineForm form_of(const Grid& grid, Matrix w) {
  if (grid.affine() != nullptr) return *grid.affine();
  AffineForm form;
  form.bits = std::clamp(static_cast<int>(grid.bits_per_weight(w.rows, w.cols)), 2, 16);
  return form;
}

// Of one group's weights there are no batches, and the least squares have a method of their own.
const Observer& weights_observer(const std::string& where, std::string_view name) {
  const Observer& observer = find_observer(name, where);
  if (observer.of_batches)
    throw UsageError(where, "weights don't come in batches", "another observer",
                     std::string(observer.name));
  if (name == "mse") throw UsageError(where, "of weights a method finds that", "`method` mse");
  return observer;
}

class Nearest final : public Coder {
 public:
  Nearest()
      : Coder("nearest",
              "round to nearest, ranges from the smallest to the largest weight, or "
              "an observer's (nearest:observer=percentile,percentile=99.9)") {
    take({{"observer", "NAME",
           [this](const std::string& where, std::string_view value) {
             observer_ = &weights_observer(where, value);
           },
           [this] { return observer_ == nullptr ? std::string() : std::string(observer_->name); }},
          number_within("percentile", "P", observing_.percentile, 50.0, 100.0)});
  }

  std::optional<double> code(const Grid& grid, Matrix w, const InputStatistics&,
                             PlanesOut out) const override {
    if (observer_ == nullptr) {
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
          cut(all.columns(u, std::min(shape.unit, block_end - u)).row(r), form);
      }
    }
    grid.quantize(all, {}, Fit::range, out);
    return {};
  }

  Fit fit() const override { return Fit::range; }

  // With an observer the weights within its ranges, too.
  TileNeeds tile() const override { return {.floats = observer_ == nullptr ? 3 : 4}; }

 private:
  void check(const std::string& where) const override {
    if (observing_.percentile != ObserverOptions().percentile &&
        (observer_ == nullptr || observer_->name != "percentile"))
      throw UsageError(where, "of another observer", "observer=percentile beside percentile=");
  }

  void cut(std::span<float> unit, const AffineForm& form) const {
    const Histogram histogram{Floats(unit)};
    const Range range = observer_->range({histogram, {}}, form, observing_);
    for (float& w : unit) w = std::clamp(w, range.lo, range.hi);
  }

  const Observer* observer_ = nullptr;  // of each unit's weights, cut to its range; none: all
  ObserverOptions observing_;
};

}  // namespace

std::unique_ptr<Coder> method_nearest() { return std::make_unique<Nearest>(); }

}  // namespace zp
