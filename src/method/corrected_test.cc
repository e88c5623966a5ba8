#include "method/corrected.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "method/feedback.h"

namespace zp {
namespace {

constexpr std::int64_t kCols = 40;
constexpr std::size_t n = kCols;
constexpr double kDamp = 0.01;

// Inputs x, and what layers before have made of them, y.
struct Inputs {
  std::vector<double> moments = std::vector<double>(n * n);  // sum y y^T
  std::vector<double> drift = std::vector<double>(n * n);    // row j: sum y_j (x - y)
};

Inputs make_inputs(double apart) {
  Inputs made;
  Random random(5);
  for (int s = 0; s < 200; ++s) {
    std::vector<double> x(n), y(n);
    for (std::size_t j = 0; j < n; ++j) {
      x[j] = random.normal();
      y[j] = x[j] + apart * (random.normal() + 0.5 * x[j]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        made.moments[i * n + j] += y[i] * y[j] / 200;
        made.drift[i * n + j] += y[i] * (x[j] - y[j]) / 200;
      }
    }
  }
  return made;
}

struct Statistics {
  Statistics(const Inputs& inputs, bool backwards)
      : drift(inputs.drift.begin(), inputs.drift.end()) {
    for (std::int32_t j = 0; backwards && j < kCols; ++j)
      order.push_back(static_cast<std::int32_t>(kCols) - 1 - j);
    std::vector<double> h(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        h[i * n + j] =
            backwards ? inputs.moments[(n - 1 - i) * n + n - 1 - j] : inputs.moments[i * n + j];
      }
    }
    factor = feedback_factor({h.data(), kCols, kCols}, kDamp, Team(1));
  }
  InputStatistics view() const {
    InputStatistics out;
    out.feedback = {factor.data(), kCols, kCols};
    out.drift = {drift.data(), kCols, kCols};
    out.order = order;
    return out;
  }
  std::vector<float> drift, factor;
  std::vector<std::int32_t> order;
};

std::vector<float> weights(std::int64_t rows) {
  std::vector<float> w;
  Random random(9);
  for (std::int64_t i = 0; i < rows * kCols; ++i) w.push_back(static_cast<float>(random.normal()));
  return w;
}

// (V - W) (H + damping) = W D, FP32's rounding of two triangular products of 40 terms apart:
// 80 x 2^-24 of the sums of magnitudes, U's condition at most 1 / sqrt(damping) = 10 times more.
TEST(Corrected, IsTheLeastSquaresSolution) {
  const Inputs inputs = make_inputs(0.3);
  double mean = 0;
  for (std::size_t j = 0; j < n; ++j) mean += inputs.moments[j * (n + 1)] / static_cast<double>(n);
  const std::vector<float> w = weights(3);
  for (const bool backwards : {false, true}) {
    const Statistics statistics(inputs, backwards);
    const std::vector<float> v = corrected({w.data(), 3, kCols}, statistics.view());
    double moved = 0;
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t j = 0; j < n; ++j) {
        double left = 0, right = 0, magnitude = 0;
        for (std::size_t k = 0; k < n; ++k) {
          const double change = static_cast<double>(v[r * n + k]) - w[r * n + k];
          const double h = inputs.moments[k * n + j] + (k == j ? kDamp * mean : 0);
          left += change * h;
          right += w[r * n + k] * inputs.drift[j * n + k];
          magnitude +=
              std::fabs(w[r * n + k] * h) + std::fabs(w[r * n + k] * inputs.drift[j * n + k]);
          moved += std::fabs(change);
        }
        ASSERT_NEAR(left, right, 10 * 80 * 0x1p-24 * magnitude) << r << ", " << j;
      }
    }
    EXPECT_GT(moved, 1);
  }
}

TEST(Corrected, WhereNothingHasChangedWeightsStay) {
  const Statistics statistics(make_inputs(0), false);
  const std::vector<float> w = weights(2);
  EXPECT_EQ(corrected({w.data(), 2, kCols}, statistics.view()), w);
}

}  // namespace
}  // namespace zp
