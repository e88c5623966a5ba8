#include "kernel/elementary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace zp {
namespace {

constexpr int kDraws = 200'000;

// The references are the C library's long doubles, of 64 bits or more.
TEST(Elementary, ExpKeepsItsBound) {
  Random random(1);
  for (int i = 0; i < kDraws; ++i) {
    const double x = (2 * random.uniform() - 1) * (i % 2 == 0 ? 700 : 1);
    const long double exact = std::exp(static_cast<long double>(x));
    ASSERT_LE(std::fabs(portable_exp(x) / exact - 1), 0x1p-48L) << x;
  }
  EXPECT_EQ(portable_exp(0), 1);
}

TEST(Elementary, LogKeepsItsBound) {
  Random random(2);
  for (int i = 0; i < kDraws; ++i) {
    // Of all magnitudes, and near 1, where the result is small.
    const double x = i % 2 == 0 ? std::exp((2 * random.uniform() - 1) * 700)
                                : 1 + (random.uniform() - 0.5) * std::exp(-30 * random.uniform());
    const long double exact = std::log(static_cast<long double>(x));
    ASSERT_LE(std::fabs(portable_log(x) - exact), 0x1p-48L * std::fabs(exact)) << x;
  }
  EXPECT_EQ(portable_log(1), 0);
}

TEST(Elementary, SinAndCosKeepTheirBound) {
  Random random(3);
  for (int i = 0; i < kDraws; ++i) {
    const double x = (2 * random.uniform() - 1) * (i % 3 == 0 ? 0x1p24 : i % 3 == 1 ? 1000 : 1);
    const SinCos got = portable_sin_cos(x);
    ASSERT_LE(std::fabs(got.sin - std::sin(static_cast<long double>(x))), 0x1p-40L) << x;
    ASSERT_LE(std::fabs(got.cos - std::cos(static_cast<long double>(x))), 0x1p-40L) << x;
  }
  for (int x = -(1 << 24); x <= 1 << 24; x += 4099) {  // positions of a text are integers
    const SinCos got = portable_sin_cos(x);
    ASSERT_LE(std::fabs(got.sin - std::sin(static_cast<long double>(x))), 0x1p-40L) << x;
    ASSERT_LE(std::fabs(got.cos - std::cos(static_cast<long double>(x))), 0x1p-40L) << x;
  }
  EXPECT_EQ(portable_sin_cos(0).sin, 0);
  EXPECT_EQ(portable_sin_cos(0).cos, 1);
}

}  // namespace
}  // namespace zp
