#include "judge/worst.h"

#include <algorithm>

namespace zp {

std::vector<WorstToken> worst_tokens(const std::vector<TokenScore>& scores, const ScoredText& text,
                                     std::size_t count) {
  const auto worse = [&](std::size_t a, std::size_t b) {
    return scores[a].kl != scores[b].kl ? scores[a].kl > scores[b].kl : a < b;
  };
  std::vector<std::size_t> heap;  // the least bad in front
  for (std::size_t i = 0; i < scores.size(); ++i) {
    heap.push_back(i);
    std::ranges::push_heap(heap, worse);
    if (heap.size() <= count) continue;
    std::ranges::pop_heap(heap, worse);
    heap.pop_back();
  }
  std::ranges::sort_heap(heap, worse);
  std::vector<WorstToken> worst;
  for (const std::size_t i : heap) {
    const auto place = static_cast<std::int64_t>(i);
    const std::int64_t window = place / text.scored() * text.context;
    const std::int64_t in_window = text.first_scored() + place % text.scored() + 1;
    worst.push_back({window, window + in_window, scores[i]});
  }
  return worst;
}

}  // namespace zp
