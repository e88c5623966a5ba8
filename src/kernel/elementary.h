// Elementary functions of double made of +, -, *, / and sqrt alone: the same bits on every machine,
// which libm's are not. For tables made once (rotary angles), not for loops over activations.
#pragma once

namespace zp {

/// Relative error below 2^-48 each, in the range given.
double portable_exp(double x) noexcept;  ///< |x| <= 700
double portable_log(double x) noexcept;  ///< x > 0, normal
struct SinCos {
  double sin;
  double cos;
};
/// Absolute error below 2^-40.
SinCos portable_sin_cos(double x) noexcept;  ///< |x| <= 2^24

}  // namespace zp
