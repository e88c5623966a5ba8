// A selective state space: time steps, and what they leave. Sequences that go on from their states:
// convolution_test.cc.
#include "engine/selective_scan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace zp {
namespace {

TEST(SelectiveScan, StepsAreASoftplusWithinTheirLimitsAndLeaveWhatTheRateSays) {
  const StateSpace space{.heads = 2, .head_dim = 1, .state = 1, .least_step = 0.01, .most_step = 3};
  const std::vector<float> rates = {-3, 1.5f};
  const std::vector<float> biases = {0.5f, -1};
  const std::vector<float> skips = {1, 1};
  const SelectiveScan scan{space, rates, biases, skips};
  for (std::int64_t head = 0; head < 2; ++head) {
    const auto h = static_cast<std::size_t>(head);
    for (const float said : {-90.0f, -5.0f, 0.0f, 0.3f, 90.0f}) {
      const double sum = static_cast<double>(said) + static_cast<double>(biases[h]);
      const double step = std::fmin(std::fmax(std::log1p(std::exp(sum)), 0.01), 3);
      // Exponential and logarithm are within 2^-48.
      EXPECT_NEAR(scan.step(head, said), step, 0x1p-46 * (1 + step));
      const double rate = std::exp(static_cast<double>(rates[h]));
      const double left = std::exp(-rate * step);
      EXPECT_NEAR(static_cast<double>(scan.left(head, step)), left,
                  left * (0x1p-24 + 0x1p-45 * (1 + rate * step)));
    }
  }
  EXPECT_TRUE(std::isnan(scan.step(0, std::nanf(""))));
}

}  // namespace
}  // namespace zp
