#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel/functions.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/rowwise.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/exp-inl.h"
#include "kernel/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE V16 number(float value) { return hn::Set(D16(), value); }

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// The largest value; 0 if there is none above -inf. Values that are NaN may hide others: the sums
/// that follow are NaN then anyway.
float largest(Floats x) {
  const D16 d;
  V16 most = number(kMinusInfinity);
  std::size_t i = 0;
  for (; i + kVectorLanes <= x.size(); i += kVectorLanes) {
    most = hn::Max(most, hn::LoadU(d, x.data() + i));
  }
  float all = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < x.size(); ++i) all = x[i] > all ? x[i] : all;
  return all == kMinusInfinity ? 0 : all;
}

void softmax(float* x, std::size_t count, float beside) {
  const std::span<float> all(x, count);
  const V16 most = number(std::max(largest(all), beside));
  map(
      x, count, [&](V16 v) { return exp_of(D16(), hn::Sub(v, most)); }, x);
  const float other = hn::GetLane(exp_of(D16(), hn::Sub(number(beside), most)));
  const double sum = sum_of(all, 0, [](V16 v) { return v; }) + static_cast<double>(other);
  if (sum == 0) return;
  const V16 factor = number(static_cast<float>(1 / sum));
  map(
      x, count, [&](V16 v) { return hn::Mul(v, factor); }, x);
}

void rms_norm(Floats x, const float* weight, float epsilon, float* out) {
  const double sum = sum_of(x, 0, [](V16 v) { return hn::Mul(v, v); });
  const double mean = sum / static_cast<double>(x.size());
  const V16 inverse = number(static_cast<float>(1 / std::sqrt(mean + epsilon)));
  map(
      out, x.size(), [&](V16 v, V16 w) { return hn::Mul(hn::Mul(v, inverse), w); }, x.data(),
      weight);
}

void layer_norm(Floats x, const float* weight, const float* bias, float epsilon, float* out) {
  const D16 d;
  const double count = static_cast<double>(x.size());
  const float middle = static_cast<float>(sum_of(x, 0, [](V16 v) { return v; }) / count);
  const V16 mean = number(middle);
  const double squares = sum_of(x, middle, [&](V16 v) {
    const V16 from_mean = hn::Sub(v, mean);
    return hn::Mul(from_mean, from_mean);
  });
  const V16 inverse = number(static_cast<float>(1 / std::sqrt(squares / count + epsilon)));
  map(
      out, x.size(),
      [&](V16 v, V16 w, V16 b) { return fused(d, hn::Mul(hn::Sub(v, mean), inverse), w, b); },
      x.data(), weight, bias);
}

void add(float* x, std::size_t count, const float* y) {
  map(
      x, count, [](V16 v, V16 w) { return hn::Add(v, w); }, x, y);
}
void multiply(float* x, std::size_t count, const float* y) {
  map(
      x, count, [](V16 v, V16 w) { return hn::Mul(v, w); }, x, y);
}
void clamp(float* x, std::size_t count, float least, float most) {
  map(
      x, count, [&](V16 v) { return limit(D16(), v, least, most); }, x);
}
void shift(float* x, std::size_t count, float by) {
  const V16 more = number(by);
  map(
      x, count, [&](V16 v) { return hn::Add(v, more); }, x);
}
void multiply_add(float* x, std::size_t count, const float* y, const float* z) {
  map(
      x, count, [](V16 v, V16 a, V16 b) { return fused(D16(), a, b, v); }, x, y, z);
}
void add_scaled(float* x, std::size_t count, const float* y, float factor) {
  const V16 f = number(factor);
  map(
      x, count, [&](V16 v, V16 w) { return fused(D16(), w, f, v); }, x, y);
}
void scale(float* x, std::size_t count, float factor) {
  const V16 f = number(factor);
  map(
      x, count, [&](V16 v) { return hn::Mul(v, f); }, x);
}

void rotate(float* x, std::size_t pairs, const float* cos, const float* sin) {
  const D16 d;
  float* y = x + pairs;
  for (std::size_t i = 0; i < pairs; i += kVectorLanes) {
    const std::size_t count = pairs - i;
    const V16 a = load_first(x + i, count);
    const V16 b = load_first(y + i, count);
    const V16 c = load_first(cos + i, count);
    const V16 s = load_first(sin + i, count);
    store_first(fused(d, a, c, hn::Neg(hn::Mul(b, s))), x + i, count);
    store_first(fused(d, b, c, hn::Mul(a, s)), y + i, count);
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(softmax);
HWY_EXPORT(rms_norm);
HWY_EXPORT(layer_norm);
HWY_EXPORT(add);
HWY_EXPORT(multiply);
HWY_EXPORT(clamp);
HWY_EXPORT(shift);
HWY_EXPORT(multiply_add);
HWY_EXPORT(add_scaled);
HWY_EXPORT(scale);
HWY_EXPORT(rotate);

void softmax(std::span<float> x, float beside) noexcept {
  HWY_DYNAMIC_DISPATCH(softmax)(x.data(), x.size(), beside);
}
void rms_norm(Floats x, Floats weight, float epsilon, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(rms_norm)(x, weight.data(), epsilon, out.data());
}
void layer_norm(Floats x, Floats weight, Floats bias, float epsilon,
                std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(layer_norm)(x, weight.data(), bias.data(), epsilon, out.data());
}
void add(std::span<float> x, Floats y) noexcept {
  HWY_DYNAMIC_DISPATCH(add)(x.data(), x.size(), y.data());
}
void multiply(std::span<float> x, Floats y) noexcept {
  HWY_DYNAMIC_DISPATCH(multiply)(x.data(), x.size(), y.data());
}
void clamp(std::span<float> x, float least, float most) noexcept {
  HWY_DYNAMIC_DISPATCH(clamp)(x.data(), x.size(), least, most);
}
void shift(std::span<float> x, float by) noexcept {
  HWY_DYNAMIC_DISPATCH(shift)(x.data(), x.size(), by);
}
void multiply_add(std::span<float> x, Floats y, Floats z) noexcept {
  HWY_DYNAMIC_DISPATCH(multiply_add)(x.data(), x.size(), y.data(), z.data());
}
void add_scaled(std::span<float> x, Floats y, float factor) noexcept {
  HWY_DYNAMIC_DISPATCH(add_scaled)(x.data(), x.size(), y.data(), factor);
}
void scale(std::span<float> x, float factor) noexcept {
  HWY_DYNAMIC_DISPATCH(scale)(x.data(), x.size(), factor);
}
void rotate(std::span<float> x, Floats cos, Floats sin) noexcept {
  HWY_DYNAMIC_DISPATCH(rotate)(x.data(), cos.size(), cos.data(), sin.data());
}

}  // namespace zp
#endif
