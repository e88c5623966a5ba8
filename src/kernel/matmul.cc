#include "kernel/matmul.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/matmul.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/fused-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = 16;
using D = hn::CappedTag<float, kLanes>;

float dot(Floats x, Floats y) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float sum[kLanes] = {};
  const auto sixteen = [&](const float* px, const float* py) {
    for (std::size_t at = 0; at < kLanes; at += lanes) {
      hn::Store(fused(d, hn::LoadU(d, px + at), hn::LoadU(d, py + at), hn::Load(d, sum + at)), d,
                sum + at);
    }
  };
  std::size_t k = 0;
  for (; k + kLanes <= x.size(); k += kLanes) sixteen(x.data() + k, y.data() + k);
  if (k < x.size()) {
    float rest_x[kLanes] = {};
    float rest_y[kLanes] = {};
    std::copy(x.begin() + k, x.end(), rest_x);
    std::copy(y.begin() + k, y.end(), rest_y);
    sixteen(rest_x, rest_y);
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) sum[l] += sum[l + half];
  }
  return sum[0];
}

void matmul(Matrix x, Matrix w, View2D<float> out) {
  for (std::int64_t j = 0; j < w.rows; ++j) {
    for (std::int64_t i = 0; i < x.rows; ++i) {
      out.data[i * out.stride + j] = dot(x.row(i), w.row(j));
    }
  }
}

void weighted_rows(Matrix p, Matrix v, View2D<float> out) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < p.rows; ++i) {
    float* to = out.data + i * out.stride;
    std::fill(to, to + v.cols, 0.0f);
    for (std::int64_t j = 0; j < v.rows; ++j) {
      const float* from = v.data + j * v.stride;
      const float weight = p.data[i * p.stride + j];
      std::int64_t c = 0;
      for (; c + lanes <= v.cols; c += lanes) {
        hn::StoreU(fused(d, hn::Set(d, weight), hn::LoadU(d, from + c), hn::LoadU(d, to + c)), d,
                   to + c);
      }
      if (c < v.cols) {
        HWY_ALIGN float rest[2][kLanes] = {};
        std::copy(from + c, from + v.cols, rest[0]);
        std::copy(to + c, to + v.cols, rest[1]);
        hn::Store(fused(d, hn::Set(d, weight), hn::Load(d, rest[0]), hn::Load(d, rest[1])), d,
                  rest[1]);
        std::copy(rest[1], rest[1] + (v.cols - c), to + c);
      }
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(dot);
HWY_EXPORT(matmul);
HWY_EXPORT(weighted_rows);

float dot(Floats x, Floats y) noexcept { return HWY_DYNAMIC_DISPATCH(dot)(x, y); }
void matmul(Matrix x, Matrix w, View2D<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(matmul)(x, w, out);
}
void weighted_rows(Matrix p, Matrix v, View2D<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(weighted_rows)(p, v, out);
}

std::int64_t row_stride(std::int64_t cols) noexcept {
  constexpr std::int64_t kLine = 16;  // floats of a cache line
  const std::int64_t lines = (cols + kLine - 1) / kLine;
  return (lines % 2 == 0 ? lines + 1 : lines) * kLine;
}

}  // namespace zp
#endif
