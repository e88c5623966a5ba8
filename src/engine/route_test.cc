// Which experts a token goes through: values worked out by hand.
#include "engine/route.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace zp {
namespace {

std::vector<float> routed(std::vector<float> scores, const Experts& experts,
                          const std::vector<float>& correction = {}) {
  route(scores, correction, experts);
  return scores;
}

void expect_near(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6f) << i;
}

Experts two_of_four() { return {.count = 4, .chosen = 2, .ffn = 8}; }

TEST(Route, OfEqualScoresTheFirstAreTaken) {
  Experts e = two_of_four();
  e.renormalized = true;
  expect_near(routed({1, 2, 2, 2}, e), {0, 0.5, 0.5, 0});
  expect_near(routed({0, 0, 0, 0}, e), {0.5, 0.5, 0, 0});
  e.renormalized = false;
  expect_near(routed({0, 0, 0, 0}, e), {0.25, 0.25, 0, 0});
}

TEST(Route, WhatIsChosenHasAWeight) {
  Experts e = two_of_four();
  e.renormalized = true;
  const std::vector<float> far = routed({200, 0, -1, -2}, e);
  EXPECT_EQ(far[0], 1.0f);
  EXPECT_EQ(far[1], std::numeric_limits<float>::denorm_min());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> bad = routed({nan, 1, 1, nan}, e);
  EXPECT_EQ(bad, (std::vector<float>{0, 0.5f, 0.5f, 0}));
}

// The correction says who is chosen, not with which weight.
TEST(Route, SigmoidsAreCorrectedForTheChoiceAlone) {
  Experts e = two_of_four();
  e.routing = Routing::sigmoid;
  const float half = std::log(3.0f);  // its sigmoid is 3/4
  expect_near(routed({half, 0, -half, 0}, e), {0.75f, 0.5f, 0, 0});
  expect_near(routed({half, 0, -half, 0}, e, {0, 0, 0.5f, 0}), {0.75f, 0, 0.25f, 0});
  e.renormalized = true;
  e.scale = 2;
  expect_near(routed({half, 0, -half, 0}, e, {0, 0, 0.5f, 0}), {1.5f, 0, 0.5f, 0});
}

// The best expert of all stands alone in its group.
TEST(Route, GroupsAreChosenByTheirTwoBest) {
  Experts e{.count = 6, .chosen = 2, .ffn = 8, .routing = Routing::sigmoid};
  e.groups = 3;
  e.used_groups = 1;
  const float half = std::log(3.0f);
  expect_near(routed({9, -9, half, 0.5f, half, half}, e), {0, 0, 0, 0, 0.75f, 0.75f});
}

// Of the first group 3 and 1 have less together than 2.5 and 2.5 of the second.
TEST(Route, GroupsOfASoftmaxAreChosenByTheirBest) {
  Experts e{.count = 6, .chosen = 2, .ffn = 8};
  e.groups = 3;
  e.used_groups = 1;
  const auto logs = [](std::vector<float> x) {
    for (float& v : x) v = std::log(v);
    return x;
  };
  const std::vector<float> two_better = logs({3, 1, 2.5f, 2.5f, 0.5f, 0.5f});
  expect_near(routed(two_better, e), {0.3f, 0.1f, 0, 0, 0, 0});
  expect_near(routed(logs({2, 1, 2, 1, 3, 1}), e), {0, 0, 0, 0, 0.3f, 0.1f});
  expect_near(routed(logs({2, 1, 2, 1, 1, 1}), e), {0.25f, 0.125f, 0, 0, 0, 0});
  e.used_groups = 2;
  expect_near(routed(two_better, e), {0.3f, 0, 0.25f, 0, 0, 0});
  e.renormalized = true;
  e.scale = 2;
  expect_near(routed(two_better, e), {12.0f / 11, 0, 10.0f / 11, 0, 0, 0});
}

// Of the second choice the first one's score is no part; 2 * 0.1 of the larger magnitude is near.
TEST(Route, SparseMixerWeightsAmongScoresThatAreNear) {
  Experts e = two_of_four();
  e.routing = Routing::sparsemixer;
  e.noise = 0.1;
  const auto share = [](float of, float other) { return 1 / (1 + std::exp(other - of)); };
  expect_near(routed({5.0f, 4.5f, 3.0f, 1.0f}, e), {share(5.0f, 4.5f), 1, 0, 0});
  expect_near(routed({1.0f, 3.0f, 4.5f, 5.0f}, e), {0, 0, 1, share(5.0f, 4.5f)});
  expect_near(routed({5.0f, 2.0f, 2.0f, 0}, e), {1, 0.5f, 0, 0});
  // Below 0 the other's magnitude is the larger.
  expect_near(routed({-1.0f, -1.1f, -2.0f, -3.0f}, e), {share(-1.0f, -1.1f), 1, 0, 0});
  expect_near(routed({0, 0, 0, 0}, e), {0.25f, 1.0f / 3, 0, 0});
}

}  // namespace
}  // namespace zp
