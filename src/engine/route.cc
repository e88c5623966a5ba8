#include "engine/route.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernel/elementary.h"
#include "kernel/functions.h"

namespace zp {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

/// The weight of an expert that was chosen.
struct Choice {
  std::size_t expert;
  float weight;
};

// In their order. Of equal scores the first are taken; NaN is below all others.
std::vector<std::size_t> highest(Floats scores, std::int64_t count) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return scores[a] > scores[b] || (scores[b] != scores[b] && scores[a] == scores[a]);
  });
  order.resize(static_cast<std::size_t>(count));
  std::ranges::sort(order);
  return order;
}

std::vector<Choice> weighted(std::span<const std::size_t> chosen, Floats scores) {
  std::vector<Choice> choices;
  for (const std::size_t i : chosen) choices.push_back({i, scores[i]});
  return choices;
}

float sigmoid(float x) {
  // Beyond, it is 0 or 1 in FP32.
  const double bounded = std::clamp(static_cast<double>(x), -200.0, 200.0);
  return static_cast<float>(1 / (1 + portable_exp(-bounded)));
}

// Leaves the experts of the best groups, for each of which so many of its highest speak.
void leave_groups(std::span<float> scores, const Experts& experts, std::size_t speakers) {
  const std::size_t size = scores.size() / static_cast<std::size_t>(experts.groups);
  std::vector<float> sums;
  for (std::size_t begin = 0; begin < scores.size(); begin += size) {
    std::vector<float> group(scores.begin() + static_cast<std::ptrdiff_t>(begin),
                             scores.begin() + static_cast<std::ptrdiff_t>(begin + size));
    const auto end = group.begin() + static_cast<std::ptrdiff_t>(std::min(size, speakers));
    std::partial_sort(group.begin(), end, group.end(), std::greater());
    sums.push_back(std::accumulate(group.begin(), end, 0.0f));
  }
  const std::vector<std::size_t> left = highest(sums, experts.used_groups);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::ranges::binary_search(left, i / size)) scores[i] = kNever;
  }
}

std::vector<Choice> by_softmax(std::span<float> scores, const Experts& experts) {
  std::vector<float> left(scores.begin(), scores.end());
  if (experts.groups > 1) leave_groups(left, experts, 1);
  const std::vector<std::size_t> chosen = highest(left, experts.chosen);
  if (!experts.renormalized) {
    softmax(scores);
    return weighted(chosen, scores);
  }
  std::vector<float> weights;
  for (const std::size_t i : chosen) weights.push_back(scores[i]);
  softmax(weights);
  std::vector<Choice> choices;
  for (std::size_t i = 0; i < chosen.size(); ++i) choices.push_back({chosen[i], weights[i]});
  return choices;
}

std::vector<Choice> by_sigmoid(std::span<float> scores, Floats correction, const Experts& experts) {
  std::ranges::transform(scores, scores.begin(), sigmoid);
  std::vector<float> corrected(scores.begin(), scores.end());
  for (std::size_t i = 0; i < correction.size(); ++i) corrected[i] += correction[i];
  if (experts.groups > 1) leave_groups(corrected, experts, 2);
  std::vector<Choice> choices = weighted(highest(corrected, experts.chosen), scores);
  if (!experts.renormalized) return choices;
  auto sum = static_cast<float>(experts.sum_addend);
  for (const Choice& choice : choices) sum += choice.weight;
  for (Choice& choice : choices) choice.weight /= sum;
  return choices;
}

std::vector<Choice> by_mixer(Floats scores, const Experts& experts) {
  std::vector<Choice> choices;
  for (const std::vector<std::size_t>& near : mixer_choices(scores, experts)) {
    std::vector<float> weights;
    for (const std::size_t i : near) weights.push_back(scores[i]);
    softmax(weights);
    choices.push_back({near.front(), weights.front()});
  }
  return choices;
}

std::vector<Choice> choose(std::span<float> scores, Floats correction, const Experts& experts) {
  switch (experts.routing) {
    case Routing::softmax:
      return by_softmax(scores, experts);
    case Routing::sigmoid:
      return by_sigmoid(scores, correction, experts);
    case Routing::sparsemixer:
      break;
  }
  return by_mixer(scores, experts);
}

}  // namespace

void route(std::span<float> scores, Floats correction, const Experts& experts) {
  const std::vector<Choice> choices = choose(scores, correction, experts);
  std::ranges::fill(scores, 0.0f);
  const auto scale = static_cast<float>(experts.scale);
  for (const Choice& choice : choices)
    scores[choice.expert] =
        std::max(choice.weight * scale, std::numeric_limits<float>::denorm_min());
}

std::vector<std::vector<std::size_t>> mixer_choices(Floats scores, const Experts& experts) {
  std::vector<std::vector<std::size_t>> choices;
  std::vector<float> left(scores.begin(), scores.end());
  while (std::ssize(choices) < experts.chosen) {
    const std::size_t best = highest(left, 1).front();
    const float top = left[best];
    std::vector<std::size_t>& near = choices.emplace_back(1, best);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (i == best || left[i] == kNever) continue;
      const float size = std::max(std::fabs(scores[i]), top);
      if (!((top - scores[i]) / size > static_cast<float>(2 * experts.noise))) near.push_back(i);
    }
    left[best] = kNever;
  }
  return choices;
}

}  // namespace zp
