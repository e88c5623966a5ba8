#include "kernel/double_dot.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/double_dot.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = 8;
using Tag = hn::CappedTag<double, kLanes>;
constexpr std::size_t kVectors = kLanes / hn::MaxLanes(Tag());

template <int N>
void dots(const double* HWY_RESTRICT a, const double* HWY_RESTRICT b, std::int64_t stride,
          std::int64_t count, double* HWY_RESTRICT out) {
  const Tag d;
  const std::size_t width = hn::Lanes(d);
  hn::Vec<Tag> sum[N][kVectors];
  HWY_UNROLL(4) for (int i = 0; i < N; ++i) {
    HWY_UNROLL(4) for (std::size_t v = 0; v < kVectors; ++v) sum[i][v] = hn::Zero(d);
  }
  const std::int64_t whole = count / 8 * 8;
  for (std::int64_t k = 0; k < whole; k += 8) {
    HWY_UNROLL(4) for (std::size_t v = 0; v < kVectors; ++v) {
      const auto x = hn::LoadU(d, a + k + v * width);
      HWY_UNROLL(4) for (int i = 0; i < N; ++i) {
        const auto y = hn::LoadU(d, b + i * stride + k + v * width);
        sum[i][v] = hn::Add(sum[i][v], hn::Mul(x, y));
      }
    }
  }
  for (int i = 0; i < N; ++i) {
    HWY_ALIGN double lanes[kLanes];
    for (std::size_t v = 0; v < kVectors; ++v) hn::Store(sum[i][v], d, lanes + v * width);
    double all = 0;
    for (const double lane : lanes) all += lane;
    for (std::int64_t k = whole; k < count; ++k) all += a[k] * b[i * stride + k];
    out[i] = all;
  }
}

void double_dots(const double* a, const double* b, std::int64_t stride, std::int64_t count,
                 double* out) {
  dots<static_cast<int>(kDoubleDots)>(a, b, stride, count, out);
}

double double_dot(const double* a, const double* b, std::int64_t count) {
  double out;
  dots<1>(a, b, 0, count, &out);
  return out;
}

void add_scaled(double* HWY_RESTRICT x, const double* HWY_RESTRICT y, double factor,
                std::int64_t count) {
  const Tag d;
  const auto width = static_cast<std::int64_t>(hn::Lanes(d));
  const auto f = hn::Set(d, factor);
  std::int64_t i = 0;
  for (; i + width <= count; i += width)
    hn::StoreU(hn::Add(hn::LoadU(d, x + i), hn::Mul(hn::LoadU(d, y + i), f)), d, x + i);
  for (; i < count; ++i) x[i] += y[i] * factor;
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(double_dots);
HWY_EXPORT(double_dot);
HWY_EXPORT(add_scaled);

void double_dots(const double* a, const double* b, std::int64_t stride, std::int64_t count,
                 double* out) noexcept {
  HWY_DYNAMIC_DISPATCH(double_dots)(a, b, stride, count, out);
}
double double_dot(const double* a, const double* b, std::int64_t count) noexcept {
  return HWY_DYNAMIC_DISPATCH(double_dot)(a, b, count);
}

void add_scaled(double* x, const double* y, double factor, std::int64_t count) noexcept {
  HWY_DYNAMIC_DISPATCH(add_scaled)(x, y, factor, count);
}

}  // namespace zp
#endif
