#include "engine/route.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "kernel/functions.h"

namespace zp {
namespace {

// In the order of the experts. Of equal scores the first are taken; NaN is below all others.
std::vector<std::size_t> highest(std::span<const float> scores, std::int64_t count) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return scores[a] > scores[b] || (scores[b] != scores[b] && scores[a] == scores[a]);
  });
  order.resize(static_cast<std::size_t>(count));
  std::ranges::sort(order);
  return order;
}

}  // namespace

void route(std::span<float> scores, const Experts& experts) {
  const std::vector<std::size_t> chosen = highest(scores, experts.chosen);
  std::vector<float> weights;
  if (!experts.renormalized) softmax(scores);
  for (const std::size_t i : chosen) weights.push_back(scores[i]);
  if (experts.renormalized) softmax(weights);
  std::ranges::fill(scores, 0.0f);
  for (std::size_t i = 0; i < chosen.size(); ++i)
    scores[chosen[i]] = std::max(weights[i], std::numeric_limits<float>::denorm_min());
}

}  // namespace zp
