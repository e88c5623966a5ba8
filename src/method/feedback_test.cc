#include "method/feedback.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"

namespace zp {
namespace {

// sum x x^T of `rows` random rows.
std::vector<double> moments(std::int64_t n, std::int64_t rows) {
  std::vector<double> h(static_cast<std::size_t>(n * n));
  Random random(static_cast<std::uint64_t>(n + rows));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<double> x(static_cast<std::size_t>(n));
    for (double& v : x) v = random.normal();
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t j = 0; j < x.size(); ++j) h[i * x.size() + j] += x[i] * x[j];
    }
  }
  return h;
}

std::vector<float> factor(std::vector<double> h, std::int64_t n, int threads = 1) {
  return feedback_factor({h.data(), n, n}, 0.01, Team(threads));
}

// U^T U (H + damping) is the unit matrix: of the result V = U^T each value is off by 2^-24 of
// itself, and so each product of the triple sum by two of that; FP64 adds nothing that shows.
void expect_inverse(const std::vector<double>& h, std::size_t n) {
  const std::vector<float> v = factor(h, static_cast<std::int64_t>(n));
  double mean = 0;
  for (std::size_t i = 0; i < n; ++i) mean += h[i * n + i] / static_cast<double>(n);
  std::vector<double> inverse(n * n), magnitude(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) {
        const double product = static_cast<double>(v[i * n + j]) * v[k * n + j];
        inverse[i * n + k] += product;
        magnitude[i * n + k] += std::fabs(product);
      }
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      double sum = 0;
      double bound = 0;
      for (std::size_t j = 0; j < n; ++j) {
        const double damped = h[j * n + k] + (j == k ? 0.01 * mean : 0);
        sum += inverse[i * n + j] * damped;
        bound += magnitude[i * n + j] * std::fabs(damped);
      }
      ASSERT_NEAR(sum, i == k ? 1 : 0, bound * 0x1p-22) << n << ": " << i << ", " << k;
    }
  }
}

TEST(Feedback, FactorIsTheRootOfTheDampedInverse) {
  for (const std::int64_t n : {1, 2, 7, 63, 64, 65, 150}) {
    expect_inverse(moments(n, 2 * n), static_cast<std::size_t>(n));
  }
}

TEST(Feedback, FewerRowsThanColumnsAreDampedToo) {
  expect_inverse(moments(96, 1), 96);
  expect_inverse(moments(96, 40), 96);
}

TEST(Feedback, IsZeroAboveTheDiagonal) {
  const std::vector<float> v = factor(moments(70, 100), 70);
  for (std::size_t i = 0; i < 70; ++i) {
    EXPECT_GT(v[i * 70 + i], 0);
    for (std::size_t j = i + 1; j < 70; ++j) ASSERT_EQ(v[i * 70 + j], 0);
  }
}

TEST(Feedback, DeadColumnsGiveAndTakeNothing) {
  constexpr std::size_t kSize = 80;
  std::vector<double> h = moments(kSize, 100);
  for (std::size_t i = 0; i < kSize; ++i) h[i * kSize + 33] = h[33 * kSize + i] = 0;
  const std::vector<float> v = factor(h, kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    if (i == 33) continue;
    EXPECT_EQ(v[i * kSize + 33], 0);
    EXPECT_EQ(v[33 * kSize + i], 0);
  }
  EXPECT_TRUE(std::isfinite(v[33 * kSize + 33]));
}

TEST(Feedback, NothingSeenIsTheUnitMatrix) {
  const std::vector<float> v = factor(std::vector<double>(25), 5);
  for (std::size_t i = 0; i < 25; ++i) EXPECT_EQ(v[i], i % 6 == 0 ? 1 : 0);
}

TEST(Feedback, AMatrixThatIsNotQuitePositiveIsDampedMore) {
  // Its smaller eigenvalue is -1; a hundredth of the mean diagonal is not enough.
  for (const float v : factor({1, 2, 2, 1}, 2)) EXPECT_TRUE(std::isfinite(v));
}

TEST(Feedback, InfiniteActivationsAreRefused) {
  EXPECT_THROW(factor({std::numeric_limits<double>::infinity()}, 1), Error);
  EXPECT_THROW(factor({std::numeric_limits<double>::quiet_NaN()}, 1), Error);
}

TEST(Feedback, SameBitsFromEveryNumberOfThreads) {
  const std::vector<double> h = moments(150, 200);
  const std::vector<float> one = factor(h, 150, 1);
  EXPECT_EQ(factor(h, 150, 2), one);
  EXPECT_EQ(factor(h, 150, 7), one);
}

}  // namespace
}  // namespace zp
