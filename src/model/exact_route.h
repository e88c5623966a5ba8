// What a router's scores come to in FP64, and how far FP64 may be off: for tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

#include "model/decoder.h"

namespace zp {

/// One token's scores, each off by at most `off`, become the experts' weights. Where another choice
/// lies within that, nothing is known of them.
class ExactRoute {
 public:
  ExactRoute(std::span<double> scores, double off, std::span<const double> correction,
             const Experts& experts)
      : scores_(scores.begin(), scores.end()), off_(off), experts_(experts) {
    std::ranges::fill(scores, 0.0);
    switch (experts.routing) {
      case Routing::softmax:
        by_softmax(scores);
        break;
      case Routing::sigmoid:
        by_sigmoid(scores, correction);
        break;
      case Routing::sparsemixer:
        by_mixer(scores);
        break;
    }
    for (double& w : scores) w *= experts.scale;
    weights_ = scores;
  }

  /// Of the weights as a vector. Exponentials of scores move by a factor of at most e^off, what is
  /// divided by their sum, and sigmoids, by at most e^(2 off).
  double bound() const {
    constexpr double kUnit = 0x1p-53;
    const double length =
        std::sqrt(std::inner_product(weights_.begin(), weights_.end(), weights_.begin(), 0.0));
    const double rounding = (2 * static_cast<double>(scores_.size()) + 16) * kUnit;
    return sure_ ? (std::expm1(2 * off_) + rounding) * length : INFINITY;
  }

 private:
  // Of equal ones the first; `apart`: a smaller difference could be none.
  std::vector<std::size_t> highest(std::span<const double> values, std::int64_t count,
                                   double apart) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    const auto n = static_cast<std::size_t>(count);
    if (n < order.size() && !(values[order[n - 1]] - values[order[n]] > apart)) sure_ = false;
    order.resize(n);
    return order;
  }

  // So many of a group's highest speak for it; `apart` of what they sum to.
  void leave_groups(std::vector<double>& values, std::size_t speakers, double apart) {
    const std::size_t size = values.size() / static_cast<std::size_t>(experts_.groups);
    std::vector<double> sums;
    for (std::size_t begin = 0; begin < values.size(); begin += size) {
      std::vector<double> group(values.begin() + static_cast<std::ptrdiff_t>(begin),
                                values.begin() + static_cast<std::ptrdiff_t>(begin + size));
      std::ranges::sort(group, std::greater());
      group.resize(std::min(size, speakers));
      sums.push_back(std::accumulate(group.begin(), group.end(), 0.0));
    }
    const std::vector<std::size_t> left = highest(sums, experts_.used_groups, apart);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::ranges::count(left, i / size) == 0) values[i] = -INFINITY;
    }
  }

  void by_softmax(std::span<double> weights) {
    std::vector<double> left = scores_;
    if (experts_.groups > 1) leave_groups(left, 1, 2 * off_);
    const std::vector<std::size_t> chosen = highest(left, experts_.chosen, 2 * off_);
    const double top = *std::ranges::max_element(scores_);
    double sum = 0;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      if (!experts_.renormalized || std::ranges::count(chosen, i) > 0)
        sum += std::exp(scores_[i] - top);
    }
    for (const std::size_t i : chosen) weights[i] = std::exp(scores_[i] - top) / sum;
  }

  void by_sigmoid(std::span<double> weights, std::span<const double> correction) {
    std::vector<double> sigmoids;
    for (const double s : scores_) sigmoids.push_back(1 / (1 + std::exp(-s)));
    std::vector<double> corrected = sigmoids;
    for (std::size_t i = 0; i < correction.size(); ++i) corrected[i] += correction[i];
    const double apart = 2 * off_ + 0x1p-50;
    if (experts_.groups > 1) leave_groups(corrected, 2, 2 * apart);
    const std::vector<std::size_t> chosen = highest(corrected, experts_.chosen, apart);
    double sum = 0;
    for (const std::size_t i : chosen) sum += sigmoids[i];
    for (const std::size_t i : chosen)
      weights[i] = sigmoids[i] / (experts_.renormalized ? sum + experts_.sum_addend : 1);
  }

  void by_mixer(std::span<double> weights) {
    std::vector<double> left = scores_;
    for (std::int64_t n = 0; n < experts_.chosen; ++n) {
      const std::size_t best = highest(left, 1, 2 * off_).front();
      double sum = 0;
      for (std::size_t i = 0; i < left.size(); ++i) {
        if (left[i] == -INFINITY) continue;
        const double size = std::max(std::fabs(scores_[i]), left[best]);
        const double distance = (left[best] - left[i]) / size;
        const double over = distance - 2 * experts_.noise;
        if (i != best && !(std::fabs(over) * (size - off_) > (2 + distance) * off_)) sure_ = false;
        if (i == best || over <= 0) sum += std::exp(left[i] - left[best]);
      }
      weights[best] = 1 / sum;
      left[best] = -INFINITY;
    }
  }

  std::vector<double> scores_;
  double off_;
  const Experts& experts_;
  std::span<const double> weights_;
  bool sure_ = true;
};

}  // namespace zp
