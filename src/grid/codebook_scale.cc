// The scale of a group under a codebook. From a raster of scales below and above the largest
// magnitude's, each improved by least squares on the codes it gives, the one of least error. Exact:
// the codes, always the nearest, and each least-squares scale. A search: which scales are tried.
#include <algorithm>
#include <cmath>

#include "grid/codebook.h"
#include "kernel/range.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/codebook_scale.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/lanes-inl.h"

#ifndef ZP_GRID_CODEBOOK_SCALE_ONCE
#define ZP_GRID_CODEBOOK_SCALE_ONCE
namespace zp {
namespace {

/// Of the nearest codes under one scale.
struct CodebookSums {
  float wv = 0;    ///< sum h w v
  float vv = 0;    ///< sum h v^2
  float cost = 0;  ///< sum h (w - scale v)^2
};

}  // namespace
}  // namespace zp
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One order on every instruction set: sixteen lanes, then lane l adds l + 8, l + 4, l + 2, l + 1.
void sums_of(const Codebook& book, Floats w, Floats h, float scale, float inverse,
             CodebookSums& out) {
  const D16 d;
  V16 wv[kVectors], vv[kVectors], cost[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) wv[v] = vv[v] = cost[v] = hn::Zero(d);
  for (std::size_t i = 0; i < w.size(); i += kVectorLanes) {
    const std::size_t count = std::min(w.size() - i, kVectorLanes);
    const V16 x = load_first(w.data() + i, count);
    // Beyond the end w is 0, and so must its weight be: a codebook need not have a zero.
    const auto there = hn::FirstN(d, count);
    const V16 weight =
        hn::IfThenElseZero(there, h.empty() ? hn::Set(d, 1.0f) : load_first(h.data() + i, count));
    const V16 y = hn::Mul(x, hn::Set(d, inverse));
    V16 level = hn::Set(d, book.sorted[0]);
    for (std::size_t k = 0; k < book.middles.size(); ++k) {
      const auto above = hn::Gt(y, hn::Set(d, book.middles[k]));
      level = hn::IfThenElse(above, hn::Set(d, book.sorted[k + 1]), level);
    }
    const V16 hv = hn::Mul(weight, level);
    const V16 miss = hn::Sub(x, hn::Mul(level, hn::Set(d, scale)));
    const std::size_t v = i % kLanes / kVectorLanes;
    wv[v] = hn::Add(wv[v], hn::Mul(hv, x));
    vv[v] = hn::Add(vv[v], hn::Mul(hv, level));
    cost[v] = hn::Add(cost[v], hn::Mul(weight, hn::Mul(miss, miss)));
  }
  out = {tree_sum(wv), tree_sum(vv), tree_sum(cost)};
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(sums_of);

float codebook_scale(const Codebook& book, Floats w, Floats h) noexcept {
  const Range range = min_max(w);
  const float largest = std::max(range.hi, -range.lo);
  float best = largest;
  float least = 0;
  bool any = false;
  const auto offer = [&](float scale) {
    CodebookSums sums;
    HWY_DYNAMIC_DISPATCH(sums_of)(book, w, h, scale, codebook_inverse(scale), sums);
    if (!any || sums.cost < least) {
      any = true;
      best = scale;
      least = sums.cost;
    }
    return sums.vv > 0 && std::isfinite(sums.wv / sums.vv) ? std::max(sums.wv / sums.vv, 0.0f)
                                                           : scale;
  };
  constexpr int kRounds = 2;
  for (int step = -7; step <= 1; ++step) {
    float scale = largest * (1 + 0.06f * static_cast<float>(step));
    for (int round = 0; round < kRounds; ++round) scale = offer(scale);
    offer(scale);
  }
  return best;
}

}  // namespace zp
#endif
