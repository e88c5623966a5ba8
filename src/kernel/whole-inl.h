// The nearest whole number within limits, half to even. What is added leaves a float no bits behind
// the point; for positive floats, as for integers, more is more, and integers are compared on other
// ports than those that multiply.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include "kernel/fused-inl.h"

#if defined(ZP_KERNEL_WHOLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_KERNEL_WHOLE_INL_H_
#undef ZP_KERNEL_WHOLE_INL_H_
#else
#define ZP_KERNEL_WHOLE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Floats from 2^23 on are 1 apart.
constexpr float kWholeShift = 0x1.8p23f;

/// Of y, given y + kWholeShift; lo, hi: whole, of magnitudes far below 2^22.
template <class D>
HWY_INLINE hn::Vec<D> whole_within(D d, hn::Vec<D> shifted, hn::Vec<D> lo, hn::Vec<D> hi) {
  const hn::RebindToSigned<D> di;
  const auto shift = hn::Set(d, kWholeShift);
  const auto lowest = hn::BitCast(di, hn::Add(lo, shift));
  const auto highest = hn::BitCast(di, hn::Add(hi, shift));
  const auto kept = hn::Min(hn::Max(hn::BitCast(di, shifted), lowest), highest);
  return hn::Sub(hn::BitCast(d, kept), shift);
}

/// Of x y, which is not rounded before.
template <class D>
HWY_INLINE hn::Vec<D> nearest_whole(D d, hn::Vec<D> x, hn::Vec<D> y, hn::Vec<D> lo, hn::Vec<D> hi) {
  return whole_within(d, fused(d, x, y, hn::Set(d, kWholeShift)), lo, hi);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
