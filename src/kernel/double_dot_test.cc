#include "kernel/double_dot.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/random.h"
#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

// As the header defines it.
double defined(const double* a, const double* b, std::int64_t count) {
  std::array<double, 8> lanes{};
  const std::int64_t whole = count / 8 * 8;
  for (std::int64_t k = 0; k < whole; ++k) {
    const double product = a[k] * b[k];
    lanes[static_cast<std::size_t>(k % 8)] += product;
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (std::int64_t k = whole; k < count; ++k) sum += a[k] * b[k];
  return sum;
}

TEST(DoubleDot, IsTheDefinitionOnEveryInstructionSet) {
  Random random(1);
  constexpr std::int64_t kStride = 45;
  std::vector<double> a(kStride), b(kDoubleDots * kStride);
  for (double& v : a) v = random.normal();
  for (double& v : b) v = random.normal();
  for (const std::int64_t count : {0, 1, 7, 8, 9, 16, 31, 40, 45}) {
    under_every_instruction_set([&] {
      std::array<double, kDoubleDots> out;
      double_dots(a.data(), b.data(), kStride, count, out.data());
      for (std::int64_t i = 0; i < kDoubleDots; ++i) {
        const double* row = b.data() + i * kStride;
        EXPECT_EQ(out[static_cast<std::size_t>(i)], defined(a.data(), row, count));
        EXPECT_EQ(double_dot(a.data(), row, count), defined(a.data(), row, count));
      }
    });
  }
}

TEST(DoubleDot, AddsTheScaledRoundedTwice) {
  Random random(2);
  std::vector<double> x(45), y(45);
  for (double& v : x) v = random.normal();
  for (double& v : y) v = random.normal();
  for (const std::size_t count : {0, 1, 8, 13, 45}) {
    under_every_instruction_set([&] {
      std::vector<double> out = x;
      add_scaled(out.data(), y.data(), 0.3, static_cast<std::int64_t>(count));
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double product = y[i] * 0.3;
        EXPECT_EQ(out[i], i < count ? x[i] + product : x[i]);
      }
    });
  }
}

}  // namespace
}  // namespace zp
