#include "kernel/distribution.h"

#include <algorithm>
#include <limits>

#include "kernel/elementary.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/distribution.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = 8;
using Wide = hn::CappedTag<double, kLanes>;
using Vector = hn::Vec<Wide>;

// e^x for x <= 0; 0 below -700. Relative error below 2^-48: Taylor to the 12th power, ln 2 in two
// parts, no contraction.
Vector exp_negative(Wide d, Vector x) {
  const hn::RebindToSigned<Wide> di;
  const Vector clamped = hn::Max(x, hn::Set(d, -700.0));
  const Vector n = hn::Round(hn::Mul(clamped, hn::Set(d, 0x1.71547652b82fep+0)));
  const Vector high = hn::Sub(clamped, hn::Mul(n, hn::Set(d, 0x1.62e42fefap-1)));
  const Vector r = hn::Sub(high, hn::Mul(n, hn::Set(d, 0x1.cf79abc9e3b3ap-40)));
  constexpr double kInverse[] = {1.0 / 12, 1.0 / 11, 1.0 / 10, 1.0 / 9, 1.0 / 8, 1.0 / 7,
                                 1.0 / 6,  1.0 / 5,  1.0 / 4,  1.0 / 3, 1.0 / 2, 1.0};
  const Vector one = hn::Set(d, 1.0);
  Vector sum = one;
  for (const double inverse : kInverse)
    sum = hn::Add(one, hn::Mul(hn::Mul(sum, r), hn::Set(d, inverse)));
  const auto exponent = hn::ShiftLeft<52>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 1023)));
  const Vector result = hn::Mul(sum, hn::BitCast(d, exponent));
  // Not "x >= -700 or 0": a NaN stays one.
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -700.0)), result);
}

Vector load(Wide d, const float* x) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, Wide>(), x));
}

// f(eight of p, eight of q) for all of them, the last ones padded.
template <class F>
void each_eight(Floats p, Floats q, const F& f) {
  std::size_t i = 0;
  for (; i + kLanes <= p.size(); i += kLanes) f(p.data() + i, q.data() + i);
  if (i == p.size()) return;
  float rest_p[kLanes];
  float rest_q[kLanes];
  // Padding has probability 0 in both.
  std::fill(rest_p, rest_p + kLanes, -std::numeric_limits<float>::max());
  std::fill(rest_q, rest_q + kLanes, -std::numeric_limits<float>::max());
  std::copy(p.begin() + i, p.end(), rest_p);
  std::copy(q.begin() + i, q.end(), rest_q);
  f(rest_p, rest_q);
}

double sum_of(const double* lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

double sum_exp(Floats x, float max) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN double sums[kLanes] = {};
  const Vector top = hn::Set(d, static_cast<double>(max));
  each_eight(x, x, [&](const float* px, const float*) {
    for (std::size_t at = 0; at < kLanes; at += lanes) {
      const Vector e = exp_negative(d, hn::Sub(load(d, px + at), top));
      hn::Store(hn::Add(hn::Load(d, sums + at), e), d, sums + at);
    }
  });
  return sum_of(sums);
}

// sums: sum e^(p - max p), sum e^(q - max q), sum e^(p - max p) ((p - max p) - (q - max q)).
void sum_both(Floats p, Floats q, float max_p, float max_q, double* sums) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN double sums_p[kLanes] = {};
  HWY_ALIGN double sums_q[kLanes] = {};
  HWY_ALIGN double weighted[kLanes] = {};
  const Vector top_p = hn::Set(d, static_cast<double>(max_p));
  const Vector top_q = hn::Set(d, static_cast<double>(max_q));
  each_eight(p, q, [&](const float* pp, const float* pq) {
    for (std::size_t at = 0; at < kLanes; at += lanes) {
      const Vector vp = hn::Sub(load(d, pp + at), top_p);
      const Vector vq = hn::Sub(load(d, pq + at), top_q);
      const Vector e = exp_negative(d, vp);
      const Vector w = hn::Mul(e, hn::Sub(vp, vq));
      hn::Store(hn::Add(hn::Load(d, sums_p + at), e), d, sums_p + at);
      hn::Store(hn::Add(hn::Load(d, sums_q + at), exp_negative(d, vq)), d, sums_q + at);
      hn::Store(hn::Add(hn::Load(d, weighted + at), w), d, weighted + at);
    }
  });
  sums[0] = sum_of(sums_p);
  sums[1] = sum_of(sums_q);
  sums[2] = sum_of(weighted);
}

// portable_exp() of x >= -700, step by step; 0 below.
Vector portable_exp_negative(Wide d, Vector x) {
  const hn::RebindToUnsigned<Wide> du;
  // Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits.
  const Vector rounder = hn::Set(d, 0x1.8p52);
  const Vector shifted = hn::Add(hn::Mul(x, hn::Set(d, 0x1.71547652b82fep+0)), rounder);
  const Vector n = hn::Sub(shifted, rounder);
  const Vector high = hn::Sub(x, hn::Mul(n, hn::Set(d, 0x1.62e42fefa2p-1)));
  const Vector r = hn::Sub(high, hn::Mul(n, hn::Set(d, 0x1.9ef35793c7673p-41)));
  const Vector one = hn::Set(d, 1.0);
  Vector sum = one;
  for (int k = 13; k >= 1; --k)
    sum = hn::Add(one, hn::Div(hn::Mul(sum, r), hn::Set(d, static_cast<double>(k))));
  const auto exponent = hn::ShiftLeft<52>(hn::Add(hn::BitCast(du, shifted), hn::Set(du, 1023)));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -700.0)), hn::Mul(sum, hn::BitCast(d, exponent)));
}

void shares_of(Floats logits, float largest, double temperature, double* out) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  const Vector top = hn::Set(d, static_cast<double>(largest));
  const Vector divisor = hn::Set(d, temperature);
  std::size_t i = 0;
  for (; i + lanes <= logits.size(); i += lanes) {
    const Vector below = hn::Div(hn::Sub(load(d, logits.data() + i), top), divisor);
    hn::StoreU(portable_exp_negative(d, below), d, out + i);
  }
  for (; i < logits.size(); ++i) {
    const double below =
        (static_cast<double>(logits[i]) - static_cast<double>(largest)) / temperature;
    out[i] = below < -700 ? 0 : portable_exp(below);
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(sum_exp);
HWY_EXPORT(sum_both);
HWY_EXPORT(shares_of);

double log_sum(Floats logits) noexcept {
  const float max = *std::ranges::max_element(logits);
  return static_cast<double>(max) + portable_log(HWY_DYNAMIC_DISPATCH(sum_exp)(logits, max));
}

void shares(Floats logits, float largest, double temperature, std::span<double> out) noexcept {
  HWY_DYNAMIC_DISPATCH(shares_of)(logits, largest, temperature, out.data());
}

Divergence divergence(Floats p, Floats q) noexcept {
  const float max_p = *std::ranges::max_element(p);
  const float max_q = *std::ranges::max_element(q);
  double sums[3];
  HWY_DYNAMIC_DISPATCH(sum_both)(p, q, max_p, max_q, sums);
  const double log_p = portable_log(sums[0]);
  const double log_q = portable_log(sums[1]);
  return {static_cast<double>(max_p) + log_p, static_cast<double>(max_q) + log_q,
          sums[2] / sums[0] - (log_p - log_q)};
}

}  // namespace zp
#endif
