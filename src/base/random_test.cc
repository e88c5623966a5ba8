#include "base/random.h"

#include <gtest/gtest.h>

#include <vector>

namespace zp {
namespace {

// The values of the reference implementation, https://prng.di.unimi.it/splitmix64.c, seed 1234567.
TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.bits(), 6457827717110365317u);
  EXPECT_EQ(random.bits(), 3203168211198807973u);
  EXPECT_EQ(random.bits(), 9817491932198370423u);
  EXPECT_EQ(random.bits(), 4593380528125082431u);
  EXPECT_EQ(random.bits(), 16408922859458223821u);
}

TEST(Random, BelowReachesEveryValueAndNoOther) {
  Random random(1);
  std::vector<int> seen(7);
  for (int i = 0; i < 7000; ++i) ++seen.at(random.below(7));
  for (const int count : seen) EXPECT_NEAR(count, 1000, 150);  // five standard deviations
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, UniformStaysInsideTheOpenInterval) {
  // The seeds whose first bits are all ones and all zeros.
  ASSERT_EQ(Random(0x31628AF67B2131ABu).bits(), ~0ull);
  EXPECT_LT(Random(0x31628AF67B2131ABu).uniform(), 1.0);
  ASSERT_EQ(Random(0x61C8864680B583EBu).bits(), 0u);
  EXPECT_GT(Random(0x61C8864680B583EBu).uniform(), 0.0);
  Random random(2);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double u = random.uniform();
    ASSERT_GT(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 5 * 0.2887 / 316.2);  // five standard errors
}

TEST(Random, NormalHasTheMomentsOfTheNormalDistribution) {
  Random random(3);
  constexpr int kCount = 100000;
  double sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  // Five standard errors of each: sqrt(1/n), sqrt(2/n), sqrt(96/n).
  EXPECT_NEAR(sum / kCount, 0.0, 0.016);
  EXPECT_NEAR(squares / kCount, 1.0, 0.023);
  EXPECT_NEAR(fourth / kCount, 3.0, 0.155);
}

TEST(Random, NormalTakesTheRadiusFirst) {
  Random random(4);
  Random same(4);
  const double first = same.uniform();
  const double second = same.uniform();
  EXPECT_DOUBLE_EQ(random.normal(),
                   std::sqrt(-2.0 * std::log(first)) * std::cos(2.0 * std::numbers::pi * second));
}

}  // namespace
}  // namespace zp
