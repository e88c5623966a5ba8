#include "pipeline/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernel/distribution.h"

namespace zp {
namespace {

// Takes the likeliest one after the other until there are enough; all others' shares become zero.
void keep_likeliest(const Sampling& sampling, std::vector<double>& all) {
  const auto less_likely = [&all](std::size_t a, std::size_t b) {
    return all[a] != all[b] ? all[a] < all[b] : a > b;
  };
  std::vector<std::size_t> left(all.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  std::ranges::make_heap(left, less_likely);
  std::vector<std::size_t> kept;
  const auto take = [&] {
    std::ranges::pop_heap(left, less_likely);
    kept.push_back(left.back());
    left.pop_back();
  };
  double together = std::accumulate(all.begin(), all.end(), 0.0);
  if (sampling.top_k > 0) {
    while (!left.empty() && std::ssize(kept) < sampling.top_k) take();
    together = 0;
    for (const std::size_t i : kept) together += all[i];
    left = std::move(kept);
    kept.clear();
    std::ranges::make_heap(left, less_likely);
  }
  for (double sum = 0; !left.empty() && (kept.empty() || sum < sampling.top_p * together);) {
    take();
    sum += all[kept.back()];
  }
  std::vector<double> thinned(all.size());
  for (const std::size_t i : kept) thinned[i] = all[i];
  all = std::move(thinned);
}

}  // namespace

void check(const Sampling& sampling) {
  if (!(sampling.temperature >= 0) || std::isinf(sampling.temperature))
    throw UsageError("`temperature`", "out of range", "a number from 0 on",
                     std::to_string(sampling.temperature));
  if (sampling.top_k < 0)
    throw UsageError("`top-k`", "out of range", "a number of tokens, or 0 for all",
                     std::to_string(sampling.top_k));
  if (!(sampling.top_p > 0 && sampling.top_p <= 1))
    throw UsageError("`top-p`", "out of range", "a probability above 0, at most 1",
                     std::to_string(sampling.top_p));
}

TokenId choose(Floats logits, const Sampling& sampling, Random& random) {
  const auto best = std::ranges::max_element(logits);
  if (sampling.temperature == 0) return static_cast<TokenId>(best - logits.begin());
  std::vector<double> sums(logits.size());
  shares(logits, *best, sampling.temperature, sums);
  if (sampling.top_k > 0 || sampling.top_p < 1) keep_likeliest(sampling, sums);
  std::partial_sum(sums.begin(), sums.end(), sums.begin());
  const auto at = std::ranges::upper_bound(sums, random.uniform() * sums.back());
  return static_cast<TokenId>(std::min(at, sums.end() - 1) - sums.begin());
}

}  // namespace zp
