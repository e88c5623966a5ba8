#include "calibrate/layer_inputs.h"

#include <algorithm>
#include <numeric>

#include "base/memory.h"
#include "method/damping.h"
#include "method/feedback.h"

namespace zp {
namespace {

constexpr std::int64_t kRun = 8;  // columns that stay together: the longest step of a grid

// Of a drift that is known from few tokens all follows the text too closely: from so many half of
// it is taken, from more a larger share (bench/README.md has figures).
constexpr double kHalfBelieved = 12000;

// Runs of columns, those with the largest second moments first.
std::vector<std::int32_t> descending(View2D<double> h) {
  std::vector<double> sums;
  for (std::int64_t j = 0; j < h.rows; ++j) {
    if (j % kRun == 0) sums.push_back(0);
    sums.back() += h.row(j)[static_cast<std::size_t>(j)];
  }
  std::vector<std::size_t> runs(sums.size());
  std::iota(runs.begin(), runs.end(), std::size_t{0});
  std::stable_sort(runs.begin(), runs.end(),
                   [&](std::size_t a, std::size_t b) { return sums[a] > sums[b]; });
  std::vector<std::int32_t> order;
  for (const std::size_t run : runs) {
    const auto begin = static_cast<std::int64_t>(run) * kRun;
    for (std::int64_t j = begin; j < std::min(h.rows, begin + kRun); ++j)
      order.push_back(static_cast<std::int32_t>(j));
  }
  return order;
}

}  // namespace

LayerInputs::LayerInputs(Moments moments, std::vector<float> drift, const FeedbackOptions& options,
                         const Team& team)
    : cols_(moments.h().rows) {
  const View2D<double> h = moments.h();
  const auto n = static_cast<std::size_t>(cols_);
  // As a file holds them: from there comes the same.
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) h.data[i * n + j] = static_cast<float>(h.data[i * n + j]);
  }
  importance_ = moments.importance();
  double mean = 0;
  for (std::size_t j = 0; j < n; ++j) mean += h.data[j * (n + 1)] / static_cast<double>(cols_);
  if (options.order) order_ = descending(h);
  // Everything on one scale, on which FP32 does well: the mean of the diagonal is 1.
  const double scale = mean > 0 ? 1 / mean : 1;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) h.data[i * n + j] *= scale;
  }
  moments_.resize(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      moments_[i * n + j] = moments_[j * n + i] = static_cast<float>(h.data[i * n + j]);
  }
  const auto rows = static_cast<double>(moments.rows());
  const double share = rows / (rows + kHalfBelieved);
  for (float& d : drift) d *= static_cast<float>(scale * share);
  drift_ = std::move(drift);
  if (!order_.empty()) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        h.data[i * n + j] = static_cast<double>(moments_[static_cast<std::size_t>(order_[i]) * n +
                                                         static_cast<std::size_t>(order_[j])]);
      }
    }
  }
  const double shrink = options.shrink.value_or(default_shrink(cols_, moments.rows()));
  for (std::size_t j = 0; j < n; ++j) {
    float& moment = moments_[j * (n + 1)];
    damping_.push_back(
        static_cast<float>((mean > 0 ? options.damp : 1) + shrink * static_cast<double>(moment)));
    moment += damping_.back();
    h.data[j * (n + 1)] *= 1 + shrink;
  }
  factor_ = feedback_factor(h, options.damp / (1 + shrink), team);
  own_memory_peak();  // looked at while there is most
}

InputStatistics LayerInputs::view() const {
  InputStatistics out;
  out.importance = importance_;
  if (factor_.empty()) return out;
  out.moments = Matrix(moments_.data(), cols_, cols_);
  out.feedback = Matrix(factor_.data(), cols_, cols_);
  out.order = order_;
  out.damping = damping_;
  if (!drift_.empty()) out.drift = Matrix(drift_.data(), cols_, cols_);
  return out;
}

}  // namespace zp
