#include "calibrate/layer_statistics.h"

#include <algorithm>

namespace zp {
namespace {

constexpr double kLookedUp = 0.5;  // of the mean second moment

}  // namespace

// A tied embedding is looked up, too, and there an error counts alike in every column.
FeedbackOptions options_for(const Network& network, LinearInput input, FeedbackOptions options) {
  if (std::ranges::count(readers(network, input), Place{-1, Role::embedding}) > 0)
    options.damp = std::max(options.damp, kLookedUp);
  return options;
}

}  // namespace zp
