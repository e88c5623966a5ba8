#include "kernel/range.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/range.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

Range min_max(Floats x) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  Range range{x[0], x[0]};
  if (x.size() >= lanes) {
    auto lo = hn::LoadU(d, x.data());
    auto hi = lo;
    for (i = lanes; i + lanes <= x.size(); i += lanes) {
      const auto v = hn::LoadU(d, x.data() + i);
      lo = hn::Min(lo, v);
      hi = hn::Max(hi, v);
    }
    range = {hn::GetLane(hn::MinOfLanes(d, lo)), hn::GetLane(hn::MaxOfLanes(d, hi))};
  }
  for (; i < x.size(); ++i) {
    range.lo = x[i] < range.lo ? x[i] : range.lo;
    range.hi = x[i] > range.hi ? x[i] : range.hi;
  }
  // Which zero a minimum of +0 and -0 is depends on the instruction; adding +0 makes it +0.
  return {range.lo + 0.0f, range.hi + 0.0f};
}

std::int64_t first_beyond(Floats x, float limit) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto bound = hn::Set(d, limit);
  std::size_t i = 0;
  for (; i + lanes <= x.size(); i += lanes) {
    // NaN compares false, so "within" is the question to ask.
    const auto within = hn::Le(hn::Abs(hn::LoadU(d, x.data() + i)), bound);
    if (!hn::AllTrue(d, within)) break;
  }
  for (; i < x.size(); ++i) {
    const float magnitude = x[i] < 0 ? -x[i] : x[i];
    if (!(magnitude <= limit)) return static_cast<std::int64_t>(i);
  }
  return -1;
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(min_max);
HWY_EXPORT(first_beyond);

Range min_max(Floats x) noexcept { return HWY_DYNAMIC_DISPATCH(min_max)(x); }
std::int64_t first_beyond(Floats x, float limit) noexcept {
  return HWY_DYNAMIC_DISPATCH(first_beyond)(x, limit);
}

}  // namespace zp
#endif
