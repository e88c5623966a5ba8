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
using Partial = std::array<float, kPartial>;

struct TernaryWeights {
  alignas(64) std::array<float, kTernaryBlock> x;  ///< magnitudes
  alignas(64) std::array<float, kTernaryBlock> h;
};

struct Window {
  float bottom;
  float top;
};

struct Split {
  alignas(64) std::array<float, kTernaryBlock> taken;        ///< importance, or 0
  alignas(64) std::array<std::int32_t, kTernaryBlock> open;  ///< 1 or 0
};

constexpr int kRounds = 10;
constexpr float kNear = 0x1p-5f;  // rounds that gain less leave more than they are worth
constexpr float kMargin = 0x1p-9f;

}  // namespace
}  // namespace zp
#endif  // ZP_GRID_TERNARY_SCALE_ONCE

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// sum h x and sum h of the weights of at least `least`.
void sums_above(const TernaryWeights& w, float least, Partial& a, Partial& b) {
  const hn::CappedTag<float, kPartial> d;
  const auto bound = hn::Set(d, least);
  for (std::size_t g = 0; g < kPartial; g += hn::Lanes(d)) {
    auto sum_a = hn::Zero(d);
    auto sum_b = hn::Zero(d);
    for (std::size_t i = g; i < kTernaryBlock; i += kPartial) {
      const auto x = hn::Load(d, w.x.data() + i);
      const auto h = hn::IfThenElseZero(hn::Ge(x, bound), hn::Load(d, w.h.data() + i));
      sum_a = hn::Add(sum_a, hn::Mul(h, x));
      sum_b = hn::Add(sum_b, h);
    }
    hn::StoreU(sum_a, d, a.data() + g);
    hn::StoreU(sum_b, d, b.data() + g);
  }
}

float sum_of(Partial& x) {
  for (std::size_t n = kPartial / 2; n > 0; n /= 2) {
    for (std::size_t k = 0; k < n; ++k) x[k] += x[k + n];
  }
  return x[0];
}

// Not a number where nothing is taken.
float mean_above(const TernaryWeights& w, float least) {
  Partial a;
  Partial b;
  sums_above(w, least, a, b);
  return sum_of(a) / sum_of(b);
}

Window window(const TernaryWeights& w, float mean, float largest) {
  float low = mean;
  for (int round = 0; round < kRounds; ++round) {
    const float next = mean_above(w, low / 2);
    if (!(next > low)) break;
    const bool near = next - low < kNear * low;
    low = next;
    if (near) break;
  }
  float high = largest;
  for (int round = 0; round < kRounds; ++round) {
    float next = mean_above(w, high / 2);
    if (!(next == next)) next = high / 2;  // nothing that counts is as large
    if (!(next < high)) break;
    const bool near = high - next < kNear * high;
    high = next;
    if (near) break;
  }
  return {low / 2 * (1 - kMargin), high / 2 * (1 + kMargin)};
}

void split(const TernaryWeights& w, Window open, Split& out) {
  const hn::CappedTag<float, kPartial> d;
  const hn::RebindToSigned<decltype(d)> di;
  for (std::size_t i = 0; i < kTernaryBlock; i += hn::Lanes(d)) {
    const auto x = hn::Load(d, w.x.data() + i);
    const auto above = hn::Ge(x, hn::Set(d, open.top));
    const auto within = hn::AndNot(above, hn::Ge(x, hn::Set(d, open.bottom)));
    hn::Store(hn::IfThenElseZero(above, hn::Load(d, w.h.data() + i)), d, out.taken.data() + i);
    hn::Store(hn::IfThenElseZero(hn::RebindMask(di, within), hn::Set(di, 1)), di,
              out.open.data() + i);
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(mean_above);
HWY_EXPORT(window);
HWY_EXPORT(split);

namespace {

// From here on FP16 scales have 11 bits.
constexpr float kSmallest = 0x1p-13f;

struct Sums {
  double a = 0;
  double b = 0;
};

Sums sums_of(const TernaryWeights& w, const std::array<float, kTernaryBlock>& taken) {
  std::array<double, 8> a{};
  std::array<double, 8> b{};
  for (std::size_t i = 0; i < kTernaryBlock; i += 8) {
    for (std::size_t k = 0; k < 8; ++k) {
      const double h = taken[i + k];
      a[k] += h * w.x[i + k];
      b[k] += h;
    }
  }
  Sums all;
  for (std::size_t k = 0; k < 8; ++k) {
    all.a += a[k];
    all.b += b[k];
  }
  return all;
}

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

float best_within(const TernaryWeights& w, const Split& parts) {
  std::array<std::uint8_t, kTernaryBlock> found;
  std::size_t count = 0;
  for (std::size_t i = 0; i < kTernaryBlock; ++i) {
    found[count % kTernaryBlock] = static_cast<std::uint8_t>(i);
    count += static_cast<std::size_t>(parts.open[i]);
  }
  std::sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count),
            [&](std::uint8_t i, std::uint8_t k) { return w.x[i] > w.x[k]; });
  Sums sum = sums_of(w, parts.taken);
  Best best;
  best.offer(sum);
  for (std::size_t n = 0; n < count; ++n) {
    const double h = w.h[found[n]];
    sum.a += h * w.x[found[n]];
    sum.b += h;
    best.offer(sum);
  }
  return best.scale;
}

}  // namespace

float ternary_scale(Floats w, Floats h, float largest) noexcept {
  TernaryWeights weights;
  for (std::size_t i = 0; i < kTernaryBlock; ++i) weights.x[i] = std::fabs(w[i]);
  if (h.empty()) {
    weights.h.fill(1);
  } else {
    std::copy(h.begin(), h.end(), weights.h.begin());
  }
  const float mean = HWY_DYNAMIC_DISPATCH(mean_above)(weights, 0);
  if (mean >= kSmallest && std::isfinite(mean)) {
    const Window open = HWY_DYNAMIC_DISPATCH(window)(weights, mean, largest);
    Split parts;
    HWY_DYNAMIC_DISPATCH(split)(weights, open, parts);
    return best_within(weights, parts);
  }
  return fit_scale(w, h, -1, 1, false, info(ScaleType::s16).nearest);
}

}  // namespace zp
#endif
