#include "kernel/energy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/energy.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = 16;
constexpr std::size_t kRun = 1024;

// At most kRun values; the last incomplete sixteen are padded with zeros. weighted(d, v, at): what
// v counts, the values from place `at` on.
template <class Weight>
Energy run_energy(const float* x, const float* y, std::size_t count, const Weight& weighted) {
  const hn::CappedTag<float, kLanes> d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float signal[kLanes] = {};
  HWY_ALIGN float error[kLanes] = {};
  const auto sixteen = [&](const float* px, const float* py, std::size_t begin) {
    for (std::size_t at = 0; at < kLanes; at += lanes) {
      const auto vx = hn::LoadU(d, px + at);
      const auto e = hn::Sub(vx, hn::LoadU(d, py + at));
      const auto hx = weighted(d, vx, begin + at);
      const auto he = weighted(d, e, begin + at);
      hn::Store(hn::Add(hn::Load(d, signal + at), hn::Mul(hx, vx)), d, signal + at);
      hn::Store(hn::Add(hn::Load(d, error + at), hn::Mul(he, e)), d, error + at);
    }
  };
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) sixteen(x + i, y + i, i);
  if (i < count) {
    float rest_x[kLanes] = {};
    float rest_y[kLanes] = {};
    std::copy(x + i, x + count, rest_x);
    std::copy(y + i, y + count, rest_y);
    sixteen(rest_x, rest_y, i);
  }
  Energy sum;
  for (std::size_t k = 0; k < kLanes; ++k) sum += {signal[k], error[k]};
  return sum;
}

Energy energy(Floats x, Floats y) {
  Energy sum;
  const auto as_it_is = [](auto, auto v, std::size_t) { return v; };
  for (std::size_t i = 0; i < x.size(); i += kRun) {
    sum += run_energy(x.data() + i, y.data() + i, std::min(kRun, x.size() - i), as_it_is);
  }
  return sum;
}

Energy weighted_energy(Floats x, Floats y, Floats h) {
  Energy sum;
  HWY_ALIGN float weights[kRun];
  for (std::size_t i = 0; i < x.size(); i += kRun) {
    const std::size_t count = std::min(kRun, x.size() - i);
    std::fill(std::copy_n(h.begin() + static_cast<std::ptrdiff_t>(i), count, weights),
              weights + kRun, 0.0f);
    const auto times = [&weights](auto d, auto v, std::size_t at) {
      return hn::Mul(v, hn::LoadU(d, weights + at));
    };
    sum += run_energy(x.data() + i, y.data() + i, count, times);
  }
  return sum;
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(energy);
HWY_EXPORT(weighted_energy);

Energy energy(Floats x, Floats y) noexcept { return HWY_DYNAMIC_DISPATCH(energy)(x, y); }
Energy weighted_energy(Floats x, Floats y, Floats h) noexcept {
  return HWY_DYNAMIC_DISPATCH(weighted_energy)(x, y, h);
}

double Energy::sqnr_db() const {
  if (error == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / error);
}

}  // namespace zp
#endif
