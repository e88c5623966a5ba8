#include "pipeline/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"

namespace zp {
namespace {

// Probabilities 0.5, 0.25, 0.125, 0.0625, 0.0625 of tokens 3, 0, 4, 1, 2.
const std::vector<float> kLogits = {std::log(4.0F), 0, 0, std::log(8.0F), std::log(2.0F)};

std::set<TokenId> drawn(const Sampling& sampling) {
  Random random(1);
  std::set<TokenId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(choose(kLogits, sampling, random));
  return ids;
}

TEST(Sampling, TakesTheLikeliestAtTemperatureZero) {
  EXPECT_EQ(drawn({}), std::set<TokenId>{3});
  Random random(1);
  EXPECT_EQ(choose(std::vector<float>{1, 2, 2}, {}, random), 1);
}

TEST(Sampling, DrawsByProbability) {
  Random random(7);
  std::vector<int> counts(kLogits.size());
  const int draws = 20'000;
  for (int i = 0; i < draws; ++i)
    ++counts[static_cast<std::size_t>(choose(kLogits, {.temperature = 1}, random))];
  const double expected[] = {0.25, 0.0625, 0.0625, 0.5, 0.125};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double deviation = std::sqrt(expected[i] * (1 - expected[i]) * draws);
    EXPECT_NEAR(counts[i], expected[i] * draws, 4 * deviation) << i;
  }
}

TEST(Sampling, DrawsAmongTheLikeliestAlone) {
  EXPECT_EQ(drawn({.temperature = 1, .top_k = 1}), (std::set<TokenId>{3}));
  EXPECT_EQ(drawn({.temperature = 1, .top_k = 4}), (std::set<TokenId>{0, 1, 3, 4}));
  EXPECT_EQ(drawn({.temperature = 1, .top_k = 99}).size(), 5u);
  EXPECT_EQ(drawn({.temperature = 1, .top_p = 1e-9}), (std::set<TokenId>{3}));
  EXPECT_EQ(drawn({.temperature = 1, .top_p = 0.74}), (std::set<TokenId>{0, 3}));
  EXPECT_EQ(drawn({.temperature = 1, .top_p = 0.76}), (std::set<TokenId>{0, 3, 4}));
  // Of the two likeliest the first has 2/3.
  EXPECT_EQ(drawn({.temperature = 1, .top_k = 2, .top_p = 0.66}), (std::set<TokenId>{3}));
  // A high temperature evens out: four of five have 0.8.
  EXPECT_EQ(drawn({.temperature = 1e6, .top_p = 0.7}).size(), 4u);
}

TEST(Sampling, RefusesWhatIsNoNumberOfItsKind) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double wrong : {nan, infinity, -infinity, -1.0})
    EXPECT_THROW(check(Sampling{.temperature = wrong}), UsageError) << wrong;
  for (const double wrong : {nan, infinity, -1.0, 0.0, 1.01})
    EXPECT_THROW(check(Sampling{.top_p = wrong}), UsageError) << wrong;
  EXPECT_THROW(check(Sampling{.top_k = -1}), UsageError);
  check(Sampling{.temperature = 2, .top_k = 1, .top_p = 1});
}

}  // namespace
}  // namespace zp
