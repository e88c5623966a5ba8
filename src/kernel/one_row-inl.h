// A matrix times one row: every row of the matrix is read once from end to end as it lies, four
// beside each other; the memory is the limit.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "kernel/tile-inl.h"

#if defined(ZP_KERNEL_ONE_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_KERNEL_ONE_ROW_INL_H_
#undef ZP_KERNEL_ONE_ROW_INL_H_
#else
#define ZP_KERNEL_ONE_ROW_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Adds the products of `steps` sixteens of x with N rows of w to their lanes, [N][16].
template <int N, class W>
HWY_INLINE void add_row_products(const float* x, W w, std::int64_t steps, float* lanes) {
  constexpr int kAll = static_cast<int>(kVectors);
  const D16 d;
  V16 sum[N][kAll];
  HWY_UNROLL(8) for (int i = 0; i < N; ++i) {
    HWY_UNROLL(8) for (int v = 0; v < kAll; ++v) {
      sum[i][v] = hn::Load(d, lanes + i * kSixteen + v * kVectorLanes);
    }
  }
  for (std::int64_t s = 0; s < steps; ++s) {
    const float* px = x + s * kSixteen;
    const float* pw = w.data + s * w.step;
    HWY_UNROLL(8) for (int i = 0; i < N; ++i) {
      HWY_UNROLL(8) for (int v = 0; v < kAll; ++v) {
        const std::size_t at = v * kVectorLanes;
        sum[i][v] = fused(d, hn::LoadU(d, px + at), hn::LoadU(d, pw + i * w.row + at), sum[i][v]);
      }
    }
  }
  HWY_UNROLL(8) for (int i = 0; i < N; ++i) {
    HWY_UNROLL(8) for (int v = 0; v < kAll; ++v) {
      hn::Store(sum[i][v], d, lanes + i * kSixteen + v * kVectorLanes);
    }
  }
}

/// N outputs, at most four.
template <int N>
HWY_INLINE void row_products(const float* x, LooseRows w, std::int64_t count, float* out) {
  const std::int64_t whole = count / kSixteen;
  const std::int64_t rest = count % kSixteen;
  HWY_ALIGN float lanes[4 * kLanes] = {};
  add_row_products<N>(x, w, whole, lanes);
  if (rest != 0) {
    HWY_ALIGN float rest_x[kLanes];
    HWY_ALIGN float rest_w[N * kLanes];
    add_row_products<N>(last_step<1>(LooseRows{x, 0}, whole, rest, rest_x).data,
                        last_step<N>(w, whole, rest, rest_w), 1, lanes);
  }
  HWY_ALIGN float sums[4];
  hn::Store(add_lanes(lanes), hn::Full128<float>(), sums);
  std::copy(sums, sums + N, out);
}

/// out[j] = dot(x, w.row(j)).
HWY_INLINE void one_row(const float* x, Matrix w, float* out) {
  const auto row = [&](std::int64_t j) { return LooseRows{w.data + j * w.stride, w.stride}; };
  std::int64_t j = 0;
  for (; j + 4 <= w.rows; j += 4) row_products<4>(x, row(j), w.cols, out + j);
  for (; j < w.rows; ++j) row_products<1>(x, row(j), w.cols, out + j);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
