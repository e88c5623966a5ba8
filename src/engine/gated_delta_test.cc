// Linear attention: what is forgotten. Sequences that go on from their states: convolution_test.cc.
#include "engine/gated_delta.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace zp {
namespace {

TEST(GatedDelta, ForgetsByItsRateAndTheSoftplusOfItsStep) {
  const std::vector<float> rates = {-3, 0, 1.5f, 80};
  const std::vector<float> biases = {0.5f, -1, 0, 0};
  const GatedDelta delta{{.keys = 4, .values = 4, .key_dim = 1, .value_dim = 1}, rates, biases};
  for (std::int64_t head = 0; head < 3; ++head) {
    for (const float decay : {-90.0f, -5.0f, 0.0f, 0.3f, 4.0f, 90.0f}) {
      const auto h = static_cast<std::size_t>(head);
      const double step =
          std::log1p(std::exp(static_cast<double>(decay) + static_cast<double>(biases[h])));
      const double kept = std::exp(-std::exp(static_cast<double>(rates[h])) * step);
      // Both exponentials are within 2^-48, which the second one's exponent multiplies.
      const double error = 0x1p-24 + 0x1p-45 * std::exp(static_cast<double>(rates[h])) * step;
      EXPECT_NEAR(static_cast<double>(delta.kept(head, decay)), kept, kept * error + 0x1p-149);
    }
  }
  EXPECT_EQ(delta.kept(3, 1), 0);
  EXPECT_TRUE(std::isnan(delta.kept(0, std::nanf(""))));
}

}  // namespace
}  // namespace zp
