// Each batch's smallest and largest value, averaged: lo += kShare (lo of the batch - lo), hi alike,
// from the first batch's on. What came late weighs more than what came early, so this observer
// alone depends on the order of the batches; they are windows of a text, in the text's order.
#include <algorithm>

#include "observer/observer.h"

namespace zp {
namespace {

constexpr double kShare = 0.1;  // of a new batch: about ten batches count

Range range(const Observed& seen, const AffineForm&, const ObserverOptions&) {
  const Range extremes = seen.histogram.extremes();
  if (seen.batches.empty()) return extremes;
  double lo = seen.batches.front().lo;
  double hi = seen.batches.front().hi;
  for (const Range& batch : seen.batches) {
    lo += kShare * (batch.lo - lo);
    hi += kShare * (batch.hi - hi);
  }
  return {std::max(extremes.lo, static_cast<float>(lo)),
          std::min(extremes.hi, static_cast<float>(hi))};
}

}  // namespace

extern const Observer observer_moving_average;
const Observer observer_moving_average{
    "moving-average",
    "the batches' smallest and largest values, averaged; a new batch has a share of 0.1", true,
    range};

}  // namespace zp
