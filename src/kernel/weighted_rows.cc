// Sums of rows with weights. The sums of a few rows of out lie in registers; v comes in runs of
// rows that stay in the first cache for all rows of out, whose own values carry the sums from run
// to run.
#include <algorithm>

#include "kernel/matmul.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/weighted_rows.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr auto kVectorStep = static_cast<std::int64_t>(kVectorLanes);
constexpr std::int64_t kFloatsAtOnce = 6144;  // of v: three quarters of the first cache

// Vectors of v side by side, and rows of out under each other.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kAcross = 4;
constexpr int kRows = 6;
#else
constexpr int kAcross = 2;
constexpr int kRows = 6;
#endif

/// R rows of out and C vectors of columns: adds p's columns times v's rows. `last` values of the
/// last vector are there.
template <int R, int C>
HWY_INLINE void add_rows(Matrix p, const float* v, std::int64_t stride, std::size_t last,
                         View2D<float> out) {
  const D16 d;
  const auto load = [&](const float* from, int c) {
    return c + 1 < C ? hn::LoadU(d, from) : load_first(from, last);
  };
  V16 sum[R][C];
  HWY_UNROLL(8) for (int i = 0; i < R; ++i) {
    HWY_UNROLL(8) for (int c = 0; c < C; ++c) {
      sum[i][c] = load(out.data + i * out.stride + c * kVectorStep, c);
    }
  }
  for (std::int64_t j = 0; j < p.cols; ++j, v += stride) {
    V16 row[C];
    HWY_UNROLL(8) for (int c = 0; c < C; ++c) row[c] = load(v + c * kVectorStep, c);
    HWY_UNROLL(8) for (int i = 0; i < R; ++i) {
      const V16 weight = hn::Set(d, p.data[i * p.stride + j]);
      HWY_UNROLL(8) for (int c = 0; c < C; ++c) { sum[i][c] = fused(d, weight, row[c], sum[i][c]); }
    }
  }
  HWY_UNROLL(8) for (int i = 0; i < R; ++i) {
    HWY_UNROLL(8) for (int c = 0; c < C; ++c) {
      store_first(sum[i][c], out.data + i * out.stride + c * kVectorStep,
                  c + 1 < C ? kVectorLanes : last);
    }
  }
}

/// All rows of out, C vectors of columns.
template <int C>
void add_columns(Matrix p, Matrix v, std::size_t last, View2D<float> out) {
  std::int64_t i = 0;
  const auto some = [&](auto rows) {
    for (; i + rows <= p.rows; i += rows) {
      add_rows<rows, C>({p.data + i * p.stride, rows, p.cols, p.stride}, v.data, v.stride, last,
                        {out.data + i * out.stride, rows, out.cols, out.stride});
    }
  };
  some(std::integral_constant<int, kRows>());
  some(std::integral_constant<int, 2>());
  some(std::integral_constant<int, 1>());
}

void weighted_rows(Matrix p, Matrix v, View2D<float> out) {
  for (std::int64_t i = 0; i < out.rows; ++i) {
    std::fill(out.data + i * out.stride, out.data + i * out.stride + v.cols, 0.0f);
  }
  const std::int64_t run =
      std::max<std::int64_t>(kFloatsAtOnce / std::max<std::int64_t>(v.cols, 1), 16);
  for (std::int64_t j = 0; j < v.rows; j += run) {
    const std::int64_t count = std::min(run, v.rows - j);
    const Matrix weights = p.columns(j, count);
    for (std::int64_t c = 0; c < v.cols;) {
      const std::int64_t left = v.cols - c;
      const Matrix from{v.data + j * v.stride + c, count, left, v.stride};
      const View2D<float> to = out.columns(c, left);
      if (left >= kAcross * kVectorStep) {
        add_columns<kAcross>(weights, from, kVectorLanes, to);
        c += kAcross * kVectorStep;
      } else {
        add_columns<1>(weights, from, static_cast<std::size_t>(std::min(left, kVectorStep)), to);
        c += kVectorStep;
      }
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(weighted_rows);

void weighted_rows(Matrix p, Matrix v, View2D<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(weighted_rows)(p, v, out);
}

}  // namespace zp
#endif
