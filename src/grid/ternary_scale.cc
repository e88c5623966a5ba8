// Of codes -1, 0, 1 the best ones at a scale s take the weights of at least s / 2. With A = sum
// h |w| and B = sum h of those taken, s lowers the squared error by 2 s A - s^2 B, by A^2 / B at
// most, at s = A / B, their mean.
//
// So the best s is the mean F(s) of the weights of at least s / 2, and F rises with s: what begins
// at or below the best s stays so when F is taken again and again, and rises; what begins at the
// largest weight falls, and stays at or above it. Between the two only few weights are left that
// may or may not be taken: every number of them is tried, the largest first, with the scale as it
// is stored. Roundings, of the means and to FP16, are far less than the margin on both sides.
#include "grid/ternary_scale.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "grid/scale_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/ternary_scale.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#ifndef ZP_GRID_TERNARY_SCALE_ONCE
#define ZP_GRID_TERNARY_SCALE_ONCE
namespace zp {
namespace {

constexpr std::size_t kPartial = 16;  // sums side by side, whatever the width of a vector
struct Partial {
  alignas(64) std::array<float, kPartial> at;
};

/// Magnitudes and importance; behind the last one zeros up to a multiple of kPartial.
struct TernaryWeights {
  std::size_t count;
  alignas(64) std::array<float, kTernaryBlock + kPartial> x;
  alignas(64) std::array<float, kTernaryBlock + kPartial> h;
};

/// Where the best s lies: at most `high`, at least `low`.
struct Bounds {
  float low;
  float high;

  /// Weights below are never taken, weights from `top` on always.
  float bottom() const { return low / 2 * (1 - kMargin); }
  float top() const { return high / 2 * (1 + kMargin); }

  static constexpr float kMargin = 0x1p-9f;
};

struct Sums {
  double a = 0;  ///< sum h |w|
  double b = 0;  ///< sum h
};

constexpr int kRounds = 10;
constexpr float kNear = 0x1p-4f;       // rounds over all weights that gain less aren't worth it
constexpr float kSmallest = 0x1p-13f;  // from here on FP16 scales have 11 bits

}  // namespace
}  // namespace zp
#endif  // ZP_GRID_TERNARY_SCALE_ONCE

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Reals = hn::CappedTag<float, kPartial>;

void load(Floats w, Floats h, TernaryWeights& to) {
  const Reals d;
  to.count = kTernaryBlock;
  for (std::size_t i = 0; i < kTernaryBlock; i += hn::Lanes(d)) {
    hn::Store(hn::Abs(hn::LoadU(d, w.data() + i)), d, to.x.data() + i);
    hn::Store(h.empty() ? hn::Set(d, 1) : hn::LoadU(d, h.data() + i), d, to.h.data() + i);
  }
}

float sum_of(const Partial& x) {
  std::array<float, kPartial> part = x.at;
  for (std::size_t n = kPartial / 2; n > 0; n /= 2) {
    for (std::size_t k = 0; k < n; ++k) part[k] += part[k + n];
  }
  return part[0];
}

/// Means of the weights of at least low / 2 and of at least high / 2. Not a number where there is
/// none.
Bounds means_above(const TernaryWeights& w, const Bounds& s) {
  const Reals d;
  const auto low = hn::Set(d, s.low / 2);
  const auto high = hn::Set(d, s.high / 2);
  Partial a_low, b_low, a_high, b_high;
  for (std::size_t g = 0; g < kPartial; g += hn::Lanes(d)) {
    auto sum_a_low = hn::Zero(d);
    auto sum_b_low = sum_a_low, sum_a_high = sum_a_low, sum_b_high = sum_a_low;
    for (std::size_t i = g; i < w.count; i += kPartial) {
      const auto x = hn::Load(d, w.x.data() + i);
      const auto h = hn::Load(d, w.h.data() + i);
      const auto hx = hn::Mul(h, x);
      const auto above_low = hn::Ge(x, low);
      const auto above_high = hn::Ge(x, high);
      sum_a_low = hn::Add(sum_a_low, hn::IfThenElseZero(above_low, hx));
      sum_b_low = hn::Add(sum_b_low, hn::IfThenElseZero(above_low, h));
      sum_a_high = hn::Add(sum_a_high, hn::IfThenElseZero(above_high, hx));
      sum_b_high = hn::Add(sum_b_high, hn::IfThenElseZero(above_high, h));
    }
    hn::Store(sum_a_low, d, a_low.at.data() + g);
    hn::Store(sum_b_low, d, b_low.at.data() + g);
    hn::Store(sum_a_high, d, a_high.at.data() + g);
    hn::Store(sum_b_high, d, b_high.at.data() + g);
  }
  return {sum_of(a_low) / sum_of(b_low), sum_of(a_high) / sum_of(b_high)};
}

Bounds narrowed(const TernaryWeights& w, Bounds s) {
  for (int round = 0; round < kRounds; ++round) {
    const Bounds next = means_above(w, s);
    const float low = next.low > s.low ? next.low : s.low;
    // Where nothing that counts is as large, there is no mean.
    const float mean = next.high == next.high ? next.high : s.high / 2;
    const float high = mean < s.high ? mean : s.high;
    const bool near = low - s.low < kNear * s.low && s.high - high < kNear * s.high;
    s = {low, high};
    if (near) break;
  }
  return s;
}

/// Those of `from` that may or may not be taken, in order.
void keep_open(const TernaryWeights& from, const Bounds& s, TernaryWeights& to) {
  const Reals d;
  const auto bottom = hn::Set(d, s.bottom());
  const auto top = hn::Set(d, s.top());
  to.count = 0;
  for (std::size_t i = 0; i < from.count; i += hn::Lanes(d)) {
    const auto x = hn::Load(d, from.x.data() + i);
    const auto open = hn::And(hn::Ge(x, bottom), hn::Lt(x, top));
    hn::StoreU(hn::Compress(x, open), d, to.x.data() + to.count);
    hn::StoreU(hn::Compress(hn::Load(d, from.h.data() + i), open), d, to.h.data() + to.count);
    to.count += hn::CountTrue(d, open);
  }
  for (std::size_t i = to.count; i % kPartial != 0; ++i) to.x[i] = to.h[i] = 0;
}

/// Those that are certainly taken.
Sums sums_taken(const TernaryWeights& w, const Bounds& s) {
  constexpr std::size_t kLanes = 8;
  const hn::CappedTag<double, kLanes> d;
  const hn::Rebind<float, decltype(d)> narrow;
  const auto top = hn::Set(narrow, s.top());
  alignas(64) std::array<double, kLanes> a;
  alignas(64) std::array<double, kLanes> b;
  for (std::size_t g = 0; g < kLanes; g += hn::Lanes(d)) {
    auto sum_a = hn::Zero(d);
    auto sum_b = hn::Zero(d);
    for (std::size_t i = g; i < w.count; i += kLanes) {
      const auto x = hn::Load(narrow, w.x.data() + i);
      const auto taken = hn::IfThenElseZero(hn::Ge(x, top), hn::Load(narrow, w.h.data() + i));
      const auto h = hn::PromoteTo(d, taken);
      sum_a = hn::Add(sum_a, hn::Mul(h, hn::PromoteTo(d, x)));
      sum_b = hn::Add(sum_b, h);
    }
    hn::Store(sum_a, d, a.data() + g);
    hn::Store(sum_b, d, b.data() + g);
  }
  Sums all;
  for (std::size_t k = 0; k < kLanes; ++k) {
    all.a += a[k];
    all.b += b[k];
  }
  return all;
}

/// The largest first; of equal ones that which stood first.
void sort(const TernaryWeights& from, TernaryWeights& to) {
  const Reals d;
  to.count = from.count;
  for (std::size_t k = 0; k < from.count; ++k) {
    const auto x = hn::Set(d, from.x[k]);
    std::size_t before = 0;
    for (std::size_t i = 0; i < from.count; i += hn::Lanes(d)) {
      const auto others = hn::Load(d, from.x.data() + i);
      const auto first = hn::FirstN(d, k > i ? HWY_MIN(k - i, hn::Lanes(d)) : 0);
      before += hn::CountTrue(d, hn::Or(hn::Gt(others, x), hn::And(first, hn::Eq(others, x))));
    }
    to.x[before] = from.x[k];
    to.h[before] = from.h[k];
  }
}

/// False: too small a scale for that. Else what is certainly taken, and in order what may be.
bool split(Floats w, Floats h, float largest, Sums& taken, TernaryWeights& open) {
  TernaryWeights all;
  load(w, h, all);
  const float mean = means_above(all, {0, 0}).low;
  if (!(mean >= kSmallest && mean <= 3.0e38f)) return false;
  const Bounds s = narrowed(all, {mean, largest});
  TernaryWeights part;
  keep_open(all, s, part);
  sort(part, open);
  taken = sums_taken(all, s);
  return true;
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(split);

namespace {

struct Best {
  double gain = 0;
  float scale = 0;

  void offer(const Sums& s) {
    if (!(s.a * s.a > gain * s.b) || !(s.b > 0)) return;
    const float stored = info(ScaleType::s16).nearest.round(s.a / s.b);
    const double reached = 2.0 * stored * s.a - static_cast<double>(stored) * stored * s.b;
    if (reached > gain) *this = {reached, stored};
  }
};

float best_within(const Sums& taken, const TernaryWeights& open) {
  std::array<Sums, kTernaryBlock + 1> sums;
  sums[0] = taken;
  std::size_t most = 0;  // with a scale that isn't rounded; with one that is, hardly any other
  for (std::size_t n = 0; n < open.count; ++n) {
    const double h = open.h[n];
    sums[n + 1] = {sums[n].a + h * open.x[n], sums[n].b + h};
    const Sums& s = sums[n + 1];
    const Sums& m = sums[most];
    if (s.a * s.a * m.b > m.a * m.a * s.b || !(m.b > 0)) most = n + 1;
  }
  Best best;
  best.offer(sums[most]);
  for (std::size_t n = 0; n <= open.count; ++n) best.offer(sums[n]);
  return best.scale;
}

}  // namespace

float ternary_scale(Floats w, Floats h, float largest) noexcept {
  if (std::ranges::all_of(h, [](float x) { return x == 0; })) h = {};
  Sums taken;
  TernaryWeights open;
  if (HWY_DYNAMIC_DISPATCH(split)(w, h, largest, taken, open)) return best_within(taken, open);
  return fit_scale(w, h, -1, 1, false, info(ScaleType::s16).nearest);
}

}  // namespace zp
#endif
