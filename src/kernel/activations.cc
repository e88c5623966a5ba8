#include "kernel/functions.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/activations.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/exp-inl.h"
#include "kernel/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE V16 number(float value) { return hn::Set(D16(), value); }
HWY_INLINE V16 one_plus(V16 x) { return hn::Add(number(1.0f), x); }

/// x / (1 + e^-z) for z = z + z_low of x's sign, |z| < 200; e^z stays apart from its power of two
/// where it would be subnormal before it meets x.
HWY_INLINE V16 times_logistic(V16 x, V16 z, V16 z_low) {
  const D16 d;
  const auto negative = hn::Lt(x, hn::Zero(d));
  // e^-|z|
  const auto parts =
      exp_parts(d, hn::Neg(hn::Abs(z)), hn::IfThenElse(negative, z_low, hn::Neg(z_low)));
  const V16 e = one_plus(parts.minus_1);
  const V16 below = one_plus(times_power_of_two(d, e, parts.n));
  const V16 ratio = hn::Div(hn::IfThenElse(negative, hn::Mul(x, e), x), below);
  return hn::IfThenElse(negative, times_power_of_two(d, ratio, parts.n), ratio);
}

HWY_INLINE V16 silu_of(V16 x) {
  const D16 d;
  const V16 z = limit(d, x, -126.0f, 126.0f);  // the result at -126 is -0
  return times_logistic(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), z, x), z, hn::Zero(d));
}

/// x / (1 + e^-z), z = 2 sqrt(2/pi) (x + 0.044715 x^3) in two parts: e^z turns the absolute error
/// of z into a relative one.
HWY_INLINE V16 gelu_tanh_of(V16 x) {
  const D16 d;
  const V16 a = number(0x1.988454p+0f);  // 2 sqrt(2/pi)
  const V16 a_low = number(-0x1.857936p-25f);
  const V16 b = number(0x1.2444f2p-4f);  // 0.044715 a
  const V16 b_low = number(0x1.49b16ap-29f);
  const V16 y = limit(d, x, -11.0f, 11.0f);  // the result at -11 is -0
  const V16 square = hn::Mul(y, y);
  const V16 square_low = fused(d, y, y, hn::Neg(square));
  const V16 cubic = hn::Mul(b, square);
  const V16 cubic_low = fused(d, b, square, hn::Neg(cubic));
  const V16 sum = hn::Add(a, cubic);  // what is lost: Knuth's TwoSum
  const V16 part = hn::Sub(sum, a);
  const V16 lost = hn::Add(hn::Sub(a, hn::Sub(sum, part)), hn::Sub(cubic, part));
  const V16 low = hn::Add(hn::Add(lost, cubic_low),
                          hn::Add(a_low, fused(d, b, square_low, hn::Mul(b_low, square))));
  const V16 z = hn::Mul(y, sum);
  const V16 z_low = fused(d, y, low, fused(d, y, sum, hn::Neg(z)));
  return times_logistic(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), y, x), z, z_low);
}

/// x / (1 + e^-z), z = 1.702 x in two parts.
HWY_INLINE V16 gelu_sigmoid_of(V16 x) {
  const D16 d;
  const V16 a = number(0x1.b3b646p+0f);  // 1.702
  const V16 a_low = number(-0x1.78d4fep-26f);
  const V16 y = limit(d, x, -74.0f, 74.0f);  // the result at -74 is -0
  const V16 z = hn::Mul(a, y);
  const V16 z_low = fused(d, a_low, y, fused(d, a, y, hn::Neg(z)));
  return times_logistic(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), y, x), z, z_low);
}

/// x times the normal distribution's integral Phi; Phi(-t) = e^(-t^2/2) g(t) for t >= 0, and
/// g(t) = u p(1 - u), u = 6 / (t + 3), p a polynomial of degree 10 of relative error 2^-30.
HWY_INLINE V16 gelu_erf_of(V16 x) {
  constexpr float kP[] = {0x1.3094c8p-17f, 0x1.6f1084p-16f, -0x1.562eeap-15f, -0x1.68e5c2p-13f,
                          0x1.662f78p-13f, 0x1.307e5ap-10f, -0x1.c91d4ap-10f, -0x1.021e06p-7f,
                          0x1.3a0d04p-5f,  -0x1.5bb438p-4f, 0x1.f1b89cp-4f};
  const D16 d;
  const auto negative = hn::Lt(x, hn::Zero(d));
  const V16 y = limit(d, x, -14.6f, 14.6f);  // the result at -14.6 is -0
  const V16 t = hn::Abs(y);
  const V16 u = hn::Div(number(6.0f), hn::Add(t, number(3.0f)));
  const V16 g = hn::Mul(u, polynomial(d, hn::Sub(number(1.0f), u), kP));
  const V16 square = hn::Mul(t, t);
  const V16 square_low = fused(d, t, t, hn::Neg(square));
  const V16 half = number(-0.5f);
  const auto parts = exp_parts(d, hn::Mul(half, square), hn::Mul(half, square_low));
  const V16 tail = hn::Mul(one_plus(parts.minus_1), g);  // Phi(-t) / 2^n
  const V16 below = times_power_of_two(d, hn::Mul(y, tail), parts.n);
  const V16 above = hn::Mul(x, hn::Sub(number(1.0f), times_power_of_two(d, tail, parts.n)));
  return hn::IfThenElse(negative, below, above);
}

/// e^-|x| stays below 1, so neither end loses anything.
HWY_INLINE V16 sigmoid_of(V16 x) {
  const D16 d;
  const V16 e = exp_of(d, hn::Neg(hn::Abs(x)));
  const auto negative = hn::Lt(x, hn::Zero(d));
  return hn::Div(hn::IfThenElse(negative, e, number(1.0f)), one_plus(e));
}

HWY_INLINE V16 squared_relu_of(V16 x) {
  return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(D16())), hn::Mul(x, x));
}

/// (e^2|x| - 1) / (e^2|x| + 1) with x's sign; the difference is not taken, so small x lose nothing.
HWY_INLINE V16 tanh_of(V16 x) {
  const D16 d;
  const V16 y = limit(d, hn::Abs(x), 0.0f, 10.0f);  // the result at 10 is 1
  const auto parts = exp_parts(d, hn::Add(y, y), hn::Zero(d));
  const V16 power = power_of_two(d, parts.n);
  const V16 minus_1 = fused(d, power, parts.minus_1, hn::Sub(power, number(1.0f)));
  return hn::CopySign(hn::Div(minus_1, hn::Add(minus_1, number(2.0f))), x);
}

void exp(float* x, std::size_t count) {
  map(
      x, count, [](V16 v) { return exp_of(D16(), v); }, x);
}
void silu(float* x, std::size_t count) { map(x, count, silu_of, x); }
void gelu_tanh(float* x, std::size_t count) { map(x, count, gelu_tanh_of, x); }
void gelu_erf(float* x, std::size_t count) { map(x, count, gelu_erf_of, x); }
void gelu_sigmoid(float* x, std::size_t count) { map(x, count, gelu_sigmoid_of, x); }
void sigmoid(float* x, std::size_t count) { map(x, count, sigmoid_of, x); }
void squared_relu(float* x, std::size_t count) { map(x, count, squared_relu_of, x); }
void soft_cap(float* x, std::size_t count, float cap) {
  const V16 c = number(cap);
  map(
      x, count, [&](V16 v) { return hn::Mul(c, tanh_of(hn::Div(v, c))); }, x);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(exp);
HWY_EXPORT(silu);
HWY_EXPORT(gelu_tanh);
HWY_EXPORT(gelu_erf);
HWY_EXPORT(gelu_sigmoid);
HWY_EXPORT(sigmoid);
HWY_EXPORT(squared_relu);
HWY_EXPORT(soft_cap);

void exp(std::span<float> x) noexcept { HWY_DYNAMIC_DISPATCH(exp)(x.data(), x.size()); }
void silu(std::span<float> x) noexcept { HWY_DYNAMIC_DISPATCH(silu)(x.data(), x.size()); }
void gelu_tanh(std::span<float> x) noexcept { HWY_DYNAMIC_DISPATCH(gelu_tanh)(x.data(), x.size()); }
void gelu_erf(std::span<float> x) noexcept { HWY_DYNAMIC_DISPATCH(gelu_erf)(x.data(), x.size()); }
void gelu_sigmoid(std::span<float> x) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_sigmoid)(x.data(), x.size());
}
void sigmoid(std::span<float> x) noexcept { HWY_DYNAMIC_DISPATCH(sigmoid)(x.data(), x.size()); }
void squared_relu(std::span<float> x) noexcept {
  HWY_DYNAMIC_DISPATCH(squared_relu)(x.data(), x.size());
}
void soft_cap(std::span<float> x, float cap) noexcept {
  HWY_DYNAMIC_DISPATCH(soft_cap)(x.data(), x.size(), cap);
}

}  // namespace zp
#endif
