// Loops over the values of a row, sixteen at a time or a vector at a time; the last incomplete
// vector goes through a padded copy. Sums have one order: sixteen FP32 lanes per 1,024 values, each
// lane adding every sixteenth value, then lane l adds l + 8, l + 4, l + 2, l + 1; the sums of the
// runs are added in FP64.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>

#include "base/view.h"

#if defined(ZP_KERNEL_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_KERNEL_LANES_INL_H_
#undef ZP_KERNEL_LANES_INL_H_
#else
#define ZP_KERNEL_LANES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = 16;
/// The widest vectors of at most sixteen lanes, and how many of them sixteen lanes are.
using D16 = hn::CappedTag<float, kLanes>;
using V16 = hn::Vec<D16>;
constexpr std::size_t kVectorLanes = hn::MaxLanes(D16());
constexpr std::size_t kVectors = kLanes / kVectorLanes;

/// The first `count` values, continued with zeros; as many as a vector holds at most.
HWY_INLINE V16 load_first(const float* from, std::size_t count) {
  if (count >= kVectorLanes) return hn::LoadU(D16(), from);
  HWY_ALIGN float all[kVectorLanes] = {};
  std::copy(from, from + count, all);
  return hn::Load(D16(), all);
}

HWY_INLINE void store_first(V16 v, float* to, std::size_t count) {
  if (count >= kVectorLanes) return hn::StoreU(v, D16(), to);
  HWY_ALIGN float all[kVectorLanes];
  hn::Store(v, D16(), all);
  std::copy(all, all + count, to);
}

/// out[i] <- f(x[i]...); f works on vectors. All have `count` values; out may be one of the xs.
template <class F, class... Xs>
HWY_INLINE void map(float* out, std::size_t count, const F& f, const Xs*... x) {
  std::size_t i = 0;
  for (; i + kVectorLanes <= count; i += kVectorLanes) {
    hn::StoreU(f(hn::LoadU(D16(), x + i)...), D16(), out + i);
  }
  if (i < count) store_first(f(load_first(x + i, count - i)...), out + i, count - i);
}

/// Lane l adds l + 8, l + 4, l + 2, l + 1.
HWY_INLINE float tree_sum(const V16 (&lanes)[kVectors]) {
  HWY_ALIGN float lane[kLanes];
  for (std::size_t v = 0; v < kVectors; ++v) {
    hn::Store(lanes[v], D16(), lane + v * kVectorLanes);
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

/// The same of four sums at once, [4][16].
HWY_INLINE hn::Vec<hn::Full128<float>> add_lanes(const float* lanes) {
  const hn::Full128<float> d;
  const hn::Repartition<double, decltype(d)> pairs;
  const auto four = [&](int sum) {
    const float* lane = lanes + sum * static_cast<std::ptrdiff_t>(kLanes);
    return hn::Add(hn::Add(hn::Load(d, lane), hn::Load(d, lane + 8)),
                   hn::Add(hn::Load(d, lane + 4), hn::Load(d, lane + 12)));
  };
  const auto two = [&](auto a, auto b) {
    const auto pa = hn::BitCast(pairs, a);
    const auto pb = hn::BitCast(pairs, b);
    return hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, pa, pb)),
                   hn::BitCast(d, hn::InterleaveUpper(pairs, pa, pb)));
  };
  const auto low = two(four(0), four(1));
  const auto high = two(four(2), four(3));
  return hn::Add(hn::ConcatEven(d, high, low), hn::ConcatOdd(d, high, low));
}

/// The sum of f(x[i]); f works on vectors, and is 0 at `padding`.
template <class F>
HWY_INLINE double sum_of(Floats x, float padding, const F& f) {
  constexpr std::size_t kRun = 1024;
  const D16 d;
  double sum = 0;
  for (std::size_t begin = 0; begin < x.size(); begin += kRun) {
    const float* run = x.data() + begin;
    const std::size_t count = std::min(kRun, x.size() - begin);
    V16 lanes[kVectors];
    for (V16& lane : lanes) lane = hn::Zero(d);
    const auto sixteen = [&](const float* from) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        lanes[v] = hn::Add(lanes[v], f(hn::LoadU(d, from + v * kVectorLanes)));
      }
    };
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) sixteen(run + i);
    if (i < count) {
      float rest[kLanes];
      std::fill(std::copy(run + i, run + count, rest), rest + kLanes, padding);
      sixteen(rest);
    }
    sum += tree_sum(lanes);
  }
  return sum;
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
