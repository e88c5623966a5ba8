#include "calibrate/moments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace zp {
namespace {

std::vector<float> random_floats(std::int64_t count) {
  std::vector<float> out;
  Random random(7);
  for (std::int64_t i = 0; i < count; ++i) out.push_back(static_cast<float>(random.normal()));
  return out;
}

// Sums of 90 products in FP32: at most 90 roundings of at most 2^-24 of the sum of magnitudes.
TEST(Moments, AreTheSumsOfProductsOverAllCalls) {
  for (const std::int64_t n : {1, 33, 800}) {
    constexpr std::int64_t kRows = 90;
    const std::vector<float> x = random_floats(n * kRows);
    Moments moments(n, true);
    const Team team(2);
    moments.add({x.data(), 50, n}, team);
    moments.add({x.data() + 50 * n, kRows - 50, n}, team);
    EXPECT_EQ(moments.rows(), kRows);
    for (std::int64_t i = 0; i < n; i += 7) {
      for (std::int64_t j = 0; j <= i; j += 5) {
        double sum = 0;
        double magnitude = 0;
        for (std::int64_t r = 0; r < kRows; ++r) {
          const double product = static_cast<double>(x[static_cast<std::size_t>(r * n + i)]) *
                                 x[static_cast<std::size_t>(r * n + j)];
          sum += product;
          magnitude += std::fabs(product);
        }
        ASSERT_NEAR(moments.h().row(i)[static_cast<std::size_t>(j)], sum,
                    magnitude * kRows * 0x1p-24);
      }
    }
  }
}

TEST(Moments, SameBitsFromEveryNumberOfThreads) {
  constexpr std::int64_t kColumns = 1000;
  const std::vector<float> x = random_floats(kColumns * 40);
  std::vector<double> first;
  for (const int threads : {1, 2, 7}) {
    Moments moments(kColumns, true);
    moments.add({x.data(), 40, kColumns}, Team(threads));
    const View2D<double> h = moments.h();
    const std::vector<double> all(h.data, h.data + kColumns * kColumns);
    if (first.empty()) first = all;
    EXPECT_EQ(all, first) << threads;
  }
}

TEST(Moments, ImportanceIsTheMeanSquareAndAHundredthOfTheirMean) {
  const std::vector<float> x = {1, 0, 2, 3, 0, 2};
  for (const bool full : {false, true}) {
    Moments moments(3, full);
    moments.add({x.data(), 2, 3}, Team(1));
    // Mean squares 5, 0 and 4, whose mean is 3.
    EXPECT_EQ(moments.importance(), (std::vector<float>{5.03f, 0.03f, 4.03f})) << full;
  }
}

TEST(Moments, LargestMagnitudesDoNotDependOnTheOrder) {
  const std::vector<float> x = random_floats(5 * 40);
  const Team team(2);
  for (const bool full : {false, true}) {
    Moments forward(5, full);
    Moments backward(5, full);
    for (std::int64_t part = 0; part < 4; ++part) {
      forward.add({x.data() + part * 50, 10, 5}, team);
      backward.add({x.data() + (3 - part) * 50, 10, 5}, team);
    }
    for (std::size_t j = 0; j < 5; ++j) {
      float most = 0;
      for (std::size_t i = j; i < x.size(); i += 5) most = std::max(most, std::fabs(x[i]));
      EXPECT_EQ(forward.largest()[j], most);
      EXPECT_EQ(backward.largest()[j], most);
    }
  }
}

TEST(Moments, OfNothingButZerosNothingIsKnown) {
  const std::vector<float> x(12);
  Moments moments(3, true);
  moments.add({x.data(), 4, 3}, Team(1));
  EXPECT_TRUE(moments.importance().empty());
}

}  // namespace
}  // namespace zp
