#include "kernel/elementary.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace zp {
namespace {

// ln 2 in two parts; products of the first with integers below 2^13 are exact.
constexpr double kLn2High = 0x1.62e42fefa2p-1;
constexpr double kLn2Low = 0x1.9ef35793c7673p-41;

// To the nearest integer, halves to even, for |x| < 2^51: what is beyond the last bit of 1.5 * 2^52
// is rounded off.
double nearest_integer(double x) noexcept {
  constexpr double kRounder = 0x1.8p52;
  return (x + kRounder) - kRounder;
}

// 2^n for a normal result.
double power_of_two(std::int64_t n) noexcept {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

}  // namespace

double portable_exp(double x) noexcept {
  const double n = nearest_integer(x * 0x1.71547652b82fep+0);
  const double r = (x - n * kLn2High) - n * kLn2Low;  // |r| < 0.347
  double sum = 1;                                     // Taylor: 0.347^14 / 14! < 2^-57
  for (int k = 13; k >= 1; --k) sum = 1 + sum * r / k;
  const std::int64_t power = static_cast<std::int64_t>(n);
  return sum * power_of_two(power / 2) * power_of_two(power - power / 2);
}

double portable_log(double x) noexcept {
  constexpr std::uint64_t kSqrtHalf = 0x3FE6A09E667F3BCDu;  // the bits of sqrt(1/2)
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::int64_t n = static_cast<std::int64_t>(bits - kSqrtHalf) >> 52;
  const double m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(n) << 52));
  const double f = (m - 1) / (m + 1);  // log m = 2 artanh f, |f| < 0.1716
  const double f2 = f * f;
  double sum = 0;  // f^24 / 25 < 2^-65
  for (int k = 23; k >= 3; k -= 2) sum = (sum + 1.0 / k) * f2;
  const double power = static_cast<double>(n);
  return power * kLn2High + (2 * f + (2 * f * sum + power * kLn2Low));
}

SinCos portable_sin_cos(double x) noexcept {
  // pi / 2 in three parts; products of the first two with integers below 2^24 are exact.
  constexpr double kFirst = 0x1.921fb54p+0;
  constexpr double kSecond = 0x1.10b4611p-30;
  constexpr double kThird = 0x1.4c4c6628b80dcp-59;
  const double n = nearest_integer(x * 0x1.45f306dc9c883p-1);
  const double r = ((x - n * kFirst) - n * kSecond) - n * kThird;  // |r| < 0.786
  const double r2 = r * r;
  double s = 1;  // Taylor: 0.786^18 / 18! < 2^-58
  double c = 1;
  for (int k = 17; k >= 3; k -= 2) {
    s = 1 - s * r2 / (k * (k - 1));
    c = 1 - c * r2 / ((k - 1) * (k - 2));
  }
  s *= r;
  switch (static_cast<std::int64_t>(n) & 3) {
    case 0:
      return {s, c};
    case 1:
      return {c, -s};
    case 2:
      return {-s, -c};
    default:
      return {-c, s};
  }
}

}  // namespace zp
