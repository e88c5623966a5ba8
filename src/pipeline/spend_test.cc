#include "pipeline/spend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/random.h"

namespace zp {
namespace {

// Tensors of many sizes; losses fall with bytes, not always evenly, and some offers are bad ones.
Offers make_offers(std::uint64_t seed, std::size_t tensors, std::size_t each) {
  Random random(seed);
  Offers offers;
  for (std::size_t t = 0; t < tensors; ++t) {
    std::vector<Offer>& of_tensor = offers.emplace_back();
    const double size = 10 + 90 * random.uniform(), weight = random.uniform();
    for (std::size_t i = 0; i < each; ++i) {
      const auto bytes = static_cast<std::int64_t>(size * (2 + static_cast<double>(i)));
      of_tensor.push_back({bytes, weight / (1 + static_cast<double>(i * i) * random.uniform())});
    }
  }
  return offers;
}

double best_by_trying_all(const Offers& offers, std::int64_t budget) {
  double best = std::numeric_limits<double>::infinity();
  Purchase p(offers.size());
  for (bool more = true; more;) {
    if (bytes_of(offers, p) <= budget) best = std::min(best, loss_of(offers, p));
    more = false;
    for (std::size_t t = 0; t < p.size() && !more; ++t) {
      more = ++p[t] < offers[t].size();
      if (!more) p[t] = 0;
    }
  }
  return best;
}

// What the first step that does not fit would buy: the gap the hull is known to leave.
double gap(const Offers& offers, std::int64_t budget) {
  Purchase p = cheapest(offers);
  for (const Upgrade& u : upgrades(offers)) {
    const Offer from = offers[u.tensor][p[u.tensor]], to = offers[u.tensor][u.offer];
    if (bytes_of(offers, p) + to.bytes - from.bytes > budget) return from.loss - to.loss;
    p[u.tensor] = u.offer;
  }
  return 0;
}

TEST(Spend, IsWithinTheHullsGapOfTheBestOfAll) {
  int exact = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Offers offers = make_offers(seed, 5, 4);
    const std::int64_t least = bytes_of(offers, cheapest(offers));
    for (const double share : {0.0, 0.1, 0.35, 0.6, 1.5}) {
      const auto budget = least + static_cast<std::int64_t>(share * static_cast<double>(least));
      const Purchase p = spend(offers, budget);
      EXPECT_LE(bytes_of(offers, p), budget);
      const double best = best_by_trying_all(offers, budget), found = loss_of(offers, p);
      EXPECT_GE(found, best - 1e-12);  // sums of five losses below one
      EXPECT_LE(found, best + gap(offers, budget) + 1e-12) << seed << ", " << share;
      exact += found <= best + 1e-12;
    }
  }
  EXPECT_GE(exact, 100);
}

TEST(Spend, IsExactWhereTheBudgetEndsOnAStep) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Offers offers = make_offers(seed, 5, 4);
    Purchase p = cheapest(offers);
    for (const Upgrade& u : upgrades(offers)) {
      p[u.tensor] = u.offer;
      const std::int64_t budget = bytes_of(offers, p);
      EXPECT_EQ(spend(offers, budget), p);
      EXPECT_NEAR(best_by_trying_all(offers, budget), loss_of(offers, p), 1e-12);
    }
  }
}

TEST(Spend, TakesTheCheapestWhereNothingFits) {
  const Offers offers = {{{10, 3}, {8, 5}, {8, 4}}, {{1, 1}}};
  EXPECT_EQ(spend(offers, 5), (Purchase{2, 0}));
  EXPECT_EQ(spend(offers, 9), (Purchase{2, 0}));
  EXPECT_EQ(spend(offers, 11), (Purchase{0, 0}));
}

TEST(Spend, OfEqualStepsTakesTheEarlierTensors) {
  const std::vector<Offer> same = {{1, 2}, {2, 1}};
  EXPECT_EQ(spend({same, same, same}, 5), (Purchase{1, 1, 0}));
}

TEST(Spend, NeverTakesMoreBytesForNoLessLoss) {
  EXPECT_EQ(spend({{{1, 2}, {5, 2}, {9, 3}}}, 100), (Purchase{0}));
}

TEST(Spend, PassesOverAStepThatDoesNotFit) {
  // The large tensor's step is the better one and has no room; the small one's has.
  EXPECT_EQ(spend({{{100, 1000}, {200, 0}}, {{10, 5}, {20, 0}}}, 130), (Purchase{0, 1}));
}

// What choices measure: falling, and of each up to `noise` more.
std::vector<double> measured(std::uint64_t seed, std::size_t count, double noise) {
  Random random(seed);
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(static_cast<double>(count - i) + noise * random.uniform());
  return out;
}

std::size_t smallest(const std::vector<double>& measured, double limit) {
  return smallest_that_keeps(measured.size(), [&](std::size_t i) { return measured[i] <= limit; });
}

TEST(SmallestThatKeeps, IsTheFirstWhereLargerOnesAlwaysDoToo) {
  for (std::size_t count = 0; count < 40; ++count) {
    const std::vector<double> falling = measured(1, count, 0);
    for (std::size_t first = 0; first <= count; ++first)
      EXPECT_EQ(smallest(falling, static_cast<double>(count - first)), first) << count;
  }
}

TEST(SmallestThatKeeps, KeepsToTheLimitAsTheThreeBelowItDoNot) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<double> all = measured(seed, 100, 20);
    for (double limit = 1; limit < 130; limit += 0.7) {
      const std::size_t found = smallest(all, limit);
      EXPECT_TRUE(found == all.size() || all[found] <= limit) << seed << ", " << limit;
      for (std::size_t below = 1; below <= std::min<std::size_t>(3, found); ++below)
        EXPECT_GT(all[found - below], limit);
    }
  }
}

TEST(SmallestThatKeeps, NeverIsSmallerForLess) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<double> all = measured(seed, 100, 20);
    std::size_t before = all.size();
    for (double limit = 0; limit < 130; limit += 0.3) {
      const std::size_t found = smallest(all, limit);
      EXPECT_LE(found, before) << seed << ", " << limit;
      before = found;
    }
  }
}

TEST(SmallestThatKeeps, AsksOfNoChoiceTwiceAndOfFew) {
  constexpr std::size_t kCount = 1000;
  for (std::size_t first = 0; first <= kCount; first += 37) {
    std::vector<int> asked(kCount);
    smallest_that_keeps(kCount, [&](std::size_t i) { return ++asked[i], i >= first; });
    EXPECT_LE(*std::ranges::max_element(asked), 1);
    EXPECT_LE(std::ranges::count(asked, 1), 10 + 3);
  }
}

}  // namespace
}  // namespace zp
