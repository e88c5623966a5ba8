// Observers: from what values were seen to the range that an affine grid shall cover.
//
// What lies outside of the range is cut to its ends. An observer knows nothing of models: what one
// histogram is fed with (a tensor, a channel, a group, a token's row) is its caller's to say.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "grid/affine.h"
#include "observer/histogram.h"

namespace zp {

/// What was seen; borrowed.
struct Observed {
  const Histogram& histogram;  ///< of one value at least
  /// Of each batch, in the order they came; only an observer `of_batches` asks for them.
  std::span<const Range> batches;
};

struct ObserverOptions {
  double percentile = 99.99;  ///< above 50, at most 100
};

/// An observer, as data. Const use from many threads is safe.
struct Observer {
  std::string_view name;
  std::string_view summary;
  bool of_batches;  ///< takes the batches, not the histogram: their order matters
  /// Within the histogram's extremes, lo <= hi.
  Range (*range)(const Observed& seen, const AffineForm& form, const ObserverOptions& options);
};

/// In the order of listings.
std::span<const Observer* const> observers();
/// Throws UsageError at `where`, naming the observers there are.
const Observer& find_observer(std::string_view name, const std::string& where);

}  // namespace zp
