// x * y + z of FP32 rounded once, on every instruction set: one instruction where there is one,
// else the exact sum brought to odd in FP64 and then rounded. (The product of two FP32 is exact in
// FP64. A sum in FP64 whose last bit is set whenever it isn't exact rounds to FP32 as the exact sum
// does: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
// rounding to odd", IEEE Trans. Computers 57 (2008).) Infinities, signed zeros and subnormals are
// those of one operation. Which NaN a NaN is, isn't said.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#if defined(ZP_KERNEL_FUSED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_KERNEL_FUSED_INL_H_
#undef ZP_KERNEL_FUSED_INL_H_
#else
#define ZP_KERNEL_FUSED_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_NATIVE_FMA

template <class D>
HWY_INLINE hn::Vec<D> fused(D, hn::Vec<D> x, hn::Vec<D> y, hn::Vec<D> z) {
  return hn::MulAdd(x, y, z);
}

#else

/// Half a vector of FP32, in FP64.
template <class DD>
HWY_INLINE hn::Vec<DD> fused_to_odd(DD d, hn::Vec<DD> x, hn::Vec<DD> y, hn::Vec<DD> z) {
  const hn::RebindToUnsigned<DD> du;
  const auto product = hn::Mul(x, y);
  const auto sum = hn::Add(product, z);
  // What rounding left out (Knuth's TwoSum); NaN where the sum isn't finite, and then not compared.
  const auto z_part = hn::Sub(sum, product);
  const auto lost = hn::Add(hn::Sub(product, hn::Sub(sum, z_part)), hn::Sub(z, z_part));
  const auto zero = hn::Zero(d);
  const auto inexact =
      hn::Or(hn::VecFromMask(d, hn::Lt(lost, zero)), hn::VecFromMask(d, hn::Gt(lost, zero)));
  const auto one = hn::And(hn::BitCast(du, inexact), hn::Set(du, 1));
  // Away from the exact sum: one step back to zero, so that setting the last bit truncates.
  const auto beyond =
      hn::And(one, hn::ShiftRight<63>(hn::Xor(hn::BitCast(du, lost), hn::BitCast(du, sum))));
  return hn::BitCast(d, hn::Or(hn::Sub(hn::BitCast(du, sum), beyond), one));
}

template <class D>
HWY_INLINE hn::Vec<D> fused(D d, hn::Vec<D> x, hn::Vec<D> y, hn::Vec<D> z) {
  const hn::Half<D> half;
  const hn::Repartition<double, D> wide;
  const auto low = fused_to_odd(wide, hn::PromoteTo(wide, hn::LowerHalf(half, x)),
                                hn::PromoteTo(wide, hn::LowerHalf(half, y)),
                                hn::PromoteTo(wide, hn::LowerHalf(half, z)));
  const auto high = fused_to_odd(wide, hn::PromoteTo(wide, hn::UpperHalf(half, x)),
                                 hn::PromoteTo(wide, hn::UpperHalf(half, y)),
                                 hn::PromoteTo(wide, hn::UpperHalf(half, z)));
  return hn::Combine(d, hn::DemoteTo(half, high), hn::DemoteTo(half, low));
}

#endif

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
