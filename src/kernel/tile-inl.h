// The innermost loops of matmul: a tile of dot products side by side, their lanes in registers.
// Each value loaded serves a whole row or column of the tile.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
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

// As many sums as the registers hold beside the values they are made of: 32 registers or 16. The
// rows of a tile are rows of x, its columns rows of w. Of 24 sums, 6 x 4 load the fewest values:
// ten for every 24 products.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 3;
#endif
constexpr int kTileCols = 4;
constexpr auto kSixteen = static_cast<std::int64_t>(kLanes);

/// Rows as they lie in a matrix, and rows side by side: sixteen of row i and step s are at
/// data + i * row + s * step.
struct LooseRows {
  const float* data;
  std::int64_t row;
  static constexpr std::int64_t step = kSixteen;
};
template <int N>
struct PackedRows {
  const float* data;
  static constexpr std::int64_t row = kSixteen;
  static constexpr std::int64_t step = N * row;
};

/// The last `count` values of N rows from step `step` on, fewer than sixteen, continued with zeros.
template <int N>
HWY_INLINE PackedRows<N> last_step(LooseRows rows, std::int64_t step, std::int64_t count,
                                   float* to) {
  std::fill(to, to + N * kSixteen, 0.0f);
  for (std::int64_t i = 0; i < N; ++i) {
    const float* from = rows.data + i * rows.row + step * rows.step;
    std::copy(from, from + count, to + i * kSixteen);
  }
  return {to};
}
template <int N>
HWY_INLINE PackedRows<N> last_step(PackedRows<N> rows, std::int64_t step, std::int64_t, float*) {
  return {rows.data + step * rows.step};  // continued when they were packed
}

/// What becomes of a tile's lanes, [R][kTileCols][16].
struct Sums {
  float* lanes;         ///< where they stay to be gone on with
  bool fresh;           ///< they begin at +0, whatever is there
  float* out;           ///< where their sums go, [R][kTileCols]; null if more is to come
  std::int64_t stride;  ///< of out
};

#if HWY_TARGET == HWY_AVX3

/// add_lanes of eight sums in registers.
HWY_INLINE hn::Vec<hn::Half<D16>> add_lanes(V16 s0, V16 s1, V16 s2, V16 s3, V16 s4, V16 s5, V16 s6,
                                            V16 s7) {
  const D16 d;
  const hn::Repartition<double, D16> pairs;
  // Eight lanes of a, eight of b.
  const auto eight = [&](V16 a, V16 b) {
    return hn::Add(hn::ConcatLowerLower(d, b, a), hn::ConcatUpperUpper(d, b, a));
  };
  // Four lanes of a's first, b's first, a's second, b's second.
  const auto four = [&](V16 a, V16 b) {
    return hn::Add(hn::OddEvenBlocks(b, a), hn::SwapAdjacentBlocks(hn::OddEvenBlocks(a, b)));
  };
  const auto even = hn::BitCast(pairs, four(eight(s0, s4), eight(s2, s6)));
  const auto odd = hn::BitCast(pairs, four(eight(s1, s5), eight(s3, s7)));
  const auto two = hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, even, odd)),
                           hn::BitCast(d, hn::InterleaveUpper(pairs, even, odd)));
  const auto one = hn::Add(two, hn::Shuffle2301(two));
  return hn::LowerHalf(hn::ConcatEven(d, one, one));
}

#endif

/// Adds the products of `steps` sixteens to R x kTileCols dot products. All loops but that over the
/// steps are unrolled, so that the sums stay in registers.
template <int R, class X, class W>
HWY_INLINE void add_products(X x, W w, std::int64_t steps, Sums to) {
  constexpr int C = kTileCols;
  const D16 d;
  for (std::size_t at = 0; at < kLanes; at += kVectorLanes) {
    float* lanes = to.lanes + at;
    V16 sum[R][C];
    HWY_UNROLL(8) for (int i = 0; i < R; ++i) {
      HWY_UNROLL(8) for (int j = 0; j < C; ++j) {
        sum[i][j] = to.fresh ? hn::Zero(d) : hn::Load(d, lanes + (i * C + j) * kSixteen);
      }
    }
    const float* px = x.data + at;
    const float* pw = w.data + at;
    for (std::int64_t s = 0; s < steps; ++s, px += x.step, pw += w.step) {
      V16 vx[R];
      HWY_UNROLL(8) for (int i = 0; i < R; ++i) vx[i] = hn::LoadU(d, px + i * x.row);
      HWY_UNROLL(8) for (int j = 0; j < C; ++j) {
        V16 vw = hn::LoadU(d, pw + j * w.row);
#if HWY_ARCH_X86 && HWY_NATIVE_FMA
        asm("" : "+v"(vw.raw));  // GCC would load it again for each product
#endif
        HWY_UNROLL(8) for (int i = 0; i < R; ++i) sum[i][j] = fused(d, vx[i], vw, sum[i][j]);
      }
    }
#if HWY_TARGET == HWY_AVX3
    if (to.out != nullptr) {
      HWY_UNROLL(8) for (int i = 0; i < R; i += 2) {
        const int below = std::min(i + 1, R - 1);
        const V16(&v)[C] = sum[i];
        const V16(&u)[C] = sum[below];
        const auto both = add_lanes(v[0], v[1], v[2], v[3], u[0], u[1], u[2], u[3]);
        const hn::Full128<float> four;
        hn::StoreU(hn::LowerHalf(both), four, to.out + i * to.stride);
        hn::StoreU(hn::UpperHalf(four, both), four, to.out + below * to.stride);
      }
      return;
    }
#endif
    HWY_UNROLL(8) for (int i = 0; i < R; ++i) {
      HWY_UNROLL(8) for (int j = 0; j < C; ++j) {
        hn::Store(sum[i][j], d, lanes + (i * C + j) * kSixteen);
      }
    }
  }
  for (int i = 0; to.out != nullptr && i < R; ++i) {
    hn::StoreU(add_lanes(to.lanes + i * C * kSixteen), hn::Full128<float>(),
               to.out + i * to.stride);
  }
}

/// The same of `count` values of each row, where the last sixteen need not be whole.
template <int R, class W>
void add_values(LooseRows x, W w, std::int64_t count, Sums to) {
  const std::int64_t whole = count / kSixteen;
  const std::int64_t rest = count % kSixteen;
  if (rest == 0) return add_products<R>(x, w, whole, to);
  add_products<R>(x, w, whole, {to.lanes, to.fresh, nullptr, 0});
  HWY_ALIGN float rest_x[R * kLanes];
  HWY_ALIGN float rest_w[kTileCols * kLanes];
  add_products<R>(last_step<R>(x, whole, rest, rest_x),
                  last_step<kTileCols>(w, whole, rest, rest_w), 1,
                  {to.lanes, false, to.out, to.stride});
}

/// add_values for one row of x, two rows, ...
template <class W, std::size_t... I>
constexpr std::array<decltype(&add_values<1, W>), kTileRows> for_rows(std::index_sequence<I...>) {
  return {add_values<static_cast<int>(I) + 1, W>...};
}
template <class W>
constexpr auto kAddValues = for_rows<W>(std::make_index_sequence<kTileRows>());

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
