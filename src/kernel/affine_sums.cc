#include "kernel/affine_sums.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/affine_sums.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = 16;

// Adds sixteen lanes as a tree: 8 + 8, 4 + 4, 2 + 2, 1 + 1.
float tree_sum(float* lane) {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
  }
  return lane[0];
}

AffineSums affine_sums(Floats x, Floats h, float inverse, float phase, float lo, float hi) {
  const hn::CappedTag<float, kLanes> d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float sum[4][kLanes] = {};
  const auto v_inverse = hn::Set(d, inverse);
  const auto v_phase = hn::Set(d, phase);
  const auto v_lo = hn::Set(d, lo);
  const auto v_hi = hn::Set(d, hi);
  const auto step = [&](const float* px, const float* ph, std::size_t at) {
    const auto vx = hn::LoadU(d, px);
    const auto vh = hn::LoadU(d, ph);
    const auto scaled = hn::Add(hn::Mul(vx, v_inverse), v_phase);
    const auto q = hn::Round(hn::Min(hn::Max(scaled, v_lo), v_hi));
    const auto hq = hn::Mul(vh, q);
    const auto add = [&](float* to, auto value) {
      hn::Store(hn::Add(hn::Load(d, to), value), d, to);
    };
    add(sum[0] + at, vh);
    add(sum[1] + at, hq);
    add(sum[2] + at, hn::Mul(hq, q));
    add(sum[3] + at, hn::Mul(hq, vx));
  };
  std::size_t i = 0;
  for (; i + kLanes <= x.size(); i += kLanes) {
    for (std::size_t at = 0; at < kLanes; at += lanes)
      step(x.data() + i + at, h.data() + i + at, at);
  }
  if (i < x.size()) {  // the rest with zero importance beyond the end
    HWY_ALIGN float rest_x[kLanes] = {};
    HWY_ALIGN float rest_h[kLanes] = {};
    for (std::size_t k = i; k < x.size(); ++k) {
      rest_x[k - i] = x[k];
      rest_h[k - i] = h[k];
    }
    for (std::size_t at = 0; at < kLanes; at += lanes) step(rest_x + at, rest_h + at, at);
  }
  return {tree_sum(sum[0]), tree_sum(sum[1]), tree_sum(sum[2]), tree_sum(sum[3])};
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(affine_sums);

AffineSums affine_sums(Floats x, Floats h, float inverse, float phase, float lo,
                       float hi) noexcept {
  return HWY_DYNAMIC_DISPATCH(affine_sums)(x, h, inverse, phase, lo, hi);
}

}  // namespace zp
#endif
