// e^x of FP32 vectors in pieces that others are made of: x = n ln 2 + r, |r| < 0.347, and
// e^x = 2^n (1 + (r + r^2 q(r))), q a polynomial of degree 4 whose relative error in e^r is 2^-28.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include "kernel/fused-inl.h"

#if defined(ZP_KERNEL_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_KERNEL_EXP_INL_H_
#undef ZP_KERNEL_EXP_INL_H_
#else
#define ZP_KERNEL_EXP_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The polynomial with these coefficients, that of the highest power first.
template <class D, class V = hn::Vec<D>, std::size_t N>
HWY_INLINE V polynomial(D d, V x, const float (&coefficients)[N]) {
  V sum = hn::Set(d, coefficients[0]);
  for (std::size_t k = 1; k < N; ++k) sum = fused(d, sum, x, hn::Set(d, coefficients[k]));
  return sum;
}

/// lo <= x <= hi, or NaN. (Min and Max differ between machines where one side is NaN.)
template <class D, class V = hn::Vec<D>>
HWY_INLINE V limit(D d, V x, float lo, float hi) {
  const V v_lo = hn::Set(d, lo);
  const V v_hi = hn::Set(d, hi);
  return hn::IfThenElse(hn::Lt(x, v_lo), v_lo, hn::IfThenElse(hn::Gt(x, v_hi), v_hi, x));
}

/// e^x = 2^n (1 + minus_1).
template <class D>
struct ExpParts {
  hn::Vec<D> minus_1;
  hn::Vec<hn::RebindToSigned<D>> n;
};

/// Of e^(x + x_low), |x| < 200, x_low at most some units in the last place of x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE ExpParts<D> exp_parts(D d, V x, V x_low) {
  constexpr float kQ[] = {0x1.6a2434p-10f, 0x1.1239e2p-7f, 0x1.5558f2p-5f, 0x1.555492p-3f,
                          0x1.fffffcp-2f};
  const hn::RebindToSigned<D> di;
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const V rounder = hn::Set(d, 0x1.8p23f);
  const V shifted = fused(d, x, hn::Set(d, 0x1.715476p+0f), rounder);
  const V n = hn::Sub(shifted, rounder);
  V r = fused(d, n, hn::Set(d, -0x1.62e4p-1f), x);  // exact: 16 bits times 8
  r = hn::Add(fused(d, n, hn::Set(d, -0x1.7f7d1cp-20f), r), x_low);
  return {fused(d, hn::Mul(r, r), polynomial(d, r, kQ), r),
          hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, rounder))};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V power_of_two(D d, hn::Vec<hn::RebindToSigned<D>> n) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127))));
}

/// x 2^n, rounded once where it becomes subnormal: |n| <= 252, x within 2^-25 and 2^25 of 1.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V times_power_of_two(D d, V x, hn::Vec<hn::RebindToSigned<D>> n) {
  const auto half = hn::ShiftRight<1>(n);
  return hn::Mul(hn::Mul(x, power_of_two(d, half)), power_of_two(d, hn::Sub(n, half)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_of(D d, V x) {
  // Beyond these the result is 0 or infinite.
  const auto parts = exp_parts(d, limit(d, x, -104.0f, 89.0f), hn::Zero(d));
  return times_power_of_two(d, hn::Add(hn::Set(d, 1.0f), parts.minus_1), parts.n);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
