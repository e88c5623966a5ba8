// FP32 rounded to the nearest FP16 or BF16, half to even, as FP32; infinite where the type has no
// number as large. Which NaN a NaN is, isn't said.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#if defined(ZP_KERNEL_HALF_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_KERNEL_HALF_INL_H_
#undef ZP_KERNEL_HALF_INL_H_
#else
#define ZP_KERNEL_HALF_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Without the last kCut bits: half of what is cut off, and to even.
template <int kCut, class D>
HWY_INLINE hn::Vec<D> cut_short(D d, hn::Vec<D> v) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, v);
  const auto odd = hn::And(hn::ShiftRight<kCut>(bits), hn::Set(du, 1u));
  const auto up = hn::Add(hn::Add(bits, hn::Set(du, (1u << (kCut - 1)) - 1)), odd);
  return hn::BitCast(d, hn::ShiftLeft<kCut>(hn::ShiftRight<kCut>(up)));
}

template <class D>
HWY_INLINE hn::Vec<D> nearest_bf16(D d, hn::Vec<D> v) {
  return cut_short<16>(d, v);
}

template <class D>
HWY_INLINE hn::Vec<D> nearest_fp16(D d, hn::Vec<D> v) {
  // Below FP16's normal numbers its step is that of FP32 at 1/2.
  const auto half = hn::Set(d, 0.5f);
  const auto magnitude = hn::Abs(v);
  const auto small = hn::CopySign(hn::Sub(hn::Add(magnitude, half), half), v);
  const auto infinite = hn::CopySign(hn::Inf(d), v);
  const auto fitting =
      hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0x1p-14f)), small, cut_short<13>(d, v));
  return hn::IfThenElse(hn::Ge(magnitude, hn::Set(d, 65520.0f)), infinite, fitting);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
