// The innermost loops of matmul: a small tile of dot products side by side, their lanes in
// registers, and the sum of the lanes. Each value loaded serves a whole row or column of the tile.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <cstdint>
#include <utility>

#include "kernel/fused-inl.h"
#include "kernel/lanes-inl.h"

#if defined(ZP_KERNEL_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_KERNEL_TILE_INL_H_
#undef ZP_KERNEL_TILE_INL_H_
#else
#define ZP_KERNEL_TILE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// As many sums as the registers hold beside the values they are made of: 32 registers or 16.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kTileRows = 4;
constexpr int kTileCols = 6;
#else
constexpr int kTileRows = 3;
constexpr int kTileCols = 4;
#endif

/// Rows of sixteens: row i's step s is at data + i * row + s * step.
struct Panel {
  const float* data;
  std::int64_t row;
  std::int64_t step;
};

/// f(0), ... f(N - 1) with constants, so that arrays indexed by them stay in registers.
template <int N, class F>
HWY_INLINE void unrolled(const F& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (f(std::integral_constant<int, I>()), ...); }
  (std::make_integer_sequence<int, N>());
}

/// Adds the products of `steps` sixteens to the lanes of R x C dot products, kept as [R][C][16];
/// `fresh` lanes begin at +0. Takes W of the vectors that sixteen lanes are at a time.
template <int R, int C, int W>
HWY_INLINE void add_products(Panel x, Panel w, std::int64_t steps, bool fresh,
                             float* HWY_RESTRICT lanes) {
  const D16 d;
  constexpr auto kVectorStep = static_cast<std::int64_t>(kVectorLanes);
  for (std::int64_t at = 0; at < static_cast<std::int64_t>(kLanes); at += W * kVectorStep) {
    V16 sum[R][C][W];
    const auto each = [](const auto& f) {
      unrolled<R>(
          [&](auto i) { unrolled<C>([&](auto j) { unrolled<W>([&](auto v) { f(i, j, v); }); }); });
    };
    const auto place = [&](int i, int j, int v) {
      return lanes + (i * C + j) * static_cast<std::int64_t>(kLanes) + at + v * kVectorStep;
    };
    each([&](auto i, auto j, auto v) {
      sum[i][j][v] = fresh ? hn::Zero(d) : hn::Load(d, place(i, j, v));
    });
    const float* px = x.data + at;
    const float* pw = w.data + at;
    for (std::int64_t s = 0; s < steps; ++s, px += x.step, pw += w.step) {
      unrolled<W>([&](auto v) {
        V16 vx[R];
        unrolled<R>([&](auto i) { vx[i] = hn::LoadU(d, px + i * x.row + v * kVectorStep); });
        unrolled<C>([&](auto j) {
          const V16 vw = hn::LoadU(d, pw + j * w.row + v * kVectorStep);
          unrolled<R>([&](auto i) { sum[i][j][v] = fused(d, vx[i], vw, sum[i][j][v]); });
        });
      });
    }
    each([&](auto i, auto j, auto v) { hn::Store(sum[i][j][v], d, place(i, j, v)); });
  }
}

/// Lane l adds l + 8, l + 4, l + 2, l + 1: lanes is [4][16], the result the four first lanes.
HWY_INLINE hn::Vec<hn::Full128<float>> add_lanes(const float* lanes) {
  const hn::Full128<float> d;
  const hn::Repartition<double, decltype(d)> pairs;
  hn::Vec<decltype(d)> four[4];
  for (int o = 0; o < 4; ++o) {
    const float* lane = lanes + o * static_cast<std::int64_t>(kLanes);
    four[o] = hn::Add(hn::Add(hn::Load(d, lane), hn::Load(d, lane + 8)),
                      hn::Add(hn::Load(d, lane + 4), hn::Load(d, lane + 12)));
  }
  const auto two = [&](auto a, auto b) {
    const auto pa = hn::BitCast(pairs, a);
    const auto pb = hn::BitCast(pairs, b);
    return hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, pa, pb)),
                   hn::BitCast(d, hn::InterleaveUpper(pairs, pa, pb)));
  };
  const auto low = two(four[0], four[1]);
  const auto high = two(four[2], four[3]);
  return hn::Add(hn::ConcatEven(d, high, low), hn::ConcatOdd(d, high, low));
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
