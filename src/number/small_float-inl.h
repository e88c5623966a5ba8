// Small floats to FP32, a vector at a time: small_to_float of small_float.h, lane by lane.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <type_traits>

#include "number/small_float.h"

#if defined(ZP_NUMBER_SMALL_FLOAT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_NUMBER_SMALL_FLOAT_INL_H_
#undef ZP_NUMBER_SMALL_FLOAT_INL_H_
#else
#define ZP_NUMBER_SMALL_FLOAT_INL_H_
#endif

// Highway's own FP16 is the machine's from AVX2 on; below it is arithmetic that knows no infinity.
#undef ZP_NATIVE_FP16
#define ZP_NATIVE_FP16 (HWY_ARCH_ARM_A64 || (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2))

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <const FloatFormat& F>
using Stored = std::conditional_t<(F.bits > 8), std::uint16_t, std::uint8_t>;

template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> bit_lanes(D, std::uint32_t bits) {
  return hn::Set(hn::RebindToSigned<D>(), static_cast<std::int32_t>(bits));
}

/// Codes, one in each FP32 lane. Magnitudes are below 2^31: signed lanes hold them, and compare
/// faster than unsigned ones.
template <const FloatFormat& F, class D>
HWY_INLINE hn::Vec<D> decode_lanes(D df, hn::Vec<hn::RebindToSigned<D>> code) {
  using S = SmallFloat<F>;
  const hn::RebindToSigned<D> di;
  const auto set_bits = [&](std::uint32_t bits) { return bit_lanes(df, bits); };
  const auto magnitude = hn::And(code, set_bits(S::kMagnitude));
  const auto sign = hn::ShiftLeft<32 - F.bits>(hn::And(code, set_bits(S::kSign)));
  auto bits = hn::Add(hn::ShiftLeft<S::kShift>(magnitude), set_bits(S::kRebias));
  if constexpr (!S::kSameRange) {
    const auto exact = hn::Sub(hn::BitCast(df, hn::Add(bits, set_bits(1u << 23))),
                               hn::BitCast(df, set_bits(S::kSmallestNormalFp32)));
    bits = hn::IfThenElse(hn::Lt(magnitude, set_bits(S::kSmallestNormal)), hn::BitCast(di, exact),
                          bits);
  }
  // An infinity's fraction is zero, so filling its exponent is all it takes.
  const auto last_finite = set_bits(static_cast<std::uint32_t>(F.max_code()));
  bits = hn::Or(bits, hn::IfThenElseZero(hn::Gt(magnitude, last_finite), set_bits(kFp32Infinity)));
  const auto last_number = set_bits(S::kTop);
  bits = hn::Or(bits, hn::IfThenElseZero(hn::Gt(magnitude, last_number), set_bits(kFp32Quiet)));
  return hn::BitCast(df, hn::Or(sign, bits));
}

/// Codes as they are stored.
template <const FloatFormat& F, class D>
HWY_INLINE hn::Vec<D> widen_lanes(D d, hn::Vec<hn::Rebind<Stored<F>, D>> codes) {
#if ZP_NATIVE_FP16
  if constexpr (&F == &kFp16) {
    return hn::PromoteTo(d, hn::BitCast(hn::Rebind<hwy::float16_t, D>(), codes));
  }
#endif
  return decode_lanes<F>(d, hn::PromoteTo(hn::RebindToSigned<D>(), codes));
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
