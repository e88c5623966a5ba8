// Formats of up to 16 bits to and from FP32, one code at a time, by integer arithmetic.
//
// Made for speed; the same bits as encode and decode of float_format.h. convert.h does runs of
// them.
#pragma once

#include <bit>
#include <cstdint>

#include "number/float_format.h"

namespace zp {

/// Constants shared by the scalar and the vector code for a format with a sign and a zero.
template <const FloatFormat& F>
struct SmallFloat {
  static constexpr int kShift = kFp32.fraction_bits - F.fraction_bits;
  static constexpr std::uint32_t kSign = F.sign_bit();
  static constexpr std::uint32_t kMagnitude = F.magnitude_mask();
  static constexpr std::uint32_t kInfinity = F.infinity_code();
  static constexpr std::uint32_t kTop = F.has_infinity() ? F.infinity_code() : F.max_code();
  static constexpr std::uint32_t kSmallestNormal = 1u << F.fraction_bits;
  /// FP32's exponent range: subnormals are subnormals there and need no care.
  static constexpr bool kSameRange = F.bias == kFp32.bias;
  /// What to add to a code's magnitude, shifted into place, to make it FP32.
  static constexpr std::uint32_t kRebias = static_cast<std::uint32_t>(kFp32.bias - F.bias) << 23;
  /// FP32 bits of the smallest normal value.
  static constexpr std::uint32_t kSmallestNormalFp32 = kRebias + (1u << 23);
  /// A power of two whose unit in the last place in FP32 is the smallest subnormal: adding it
  /// rounds to a multiple of that, half to even.
  static constexpr std::uint32_t kRounder =
      static_cast<std::uint32_t>(kFp32.bias + 1 - F.bias - F.fraction_bits + 23) << 23;
  /// FP32 bits from which on the code is kTop: just past the largest value for formats that
  /// saturate (rounding is cut there), half a step past it for those that have infinity.
  static constexpr std::uint32_t kOverflow =
      F.has_infinity() ? ((kInfinity << kShift) + kRebias) - (1u << (kShift - 1))
                       : (static_cast<std::uint32_t>(F.max_code()) << kShift) + kRebias;
  static constexpr std::uint32_t kNan =
      static_cast<std::uint32_t>(F.has_infinity() ? F.infinity_code() : F.magnitude_mask());
};

inline constexpr std::uint32_t kFp32Sign = 0x80000000u;
inline constexpr std::uint32_t kFp32Infinity = 0x7F800000u;
inline constexpr std::uint32_t kFp32Quiet = 0x00400000u;

/// Bits of `code` above the format's are ignored.
template <const FloatFormat& F>
constexpr float small_to_float(std::uint32_t code) noexcept {
  using S = SmallFloat<F>;
  const std::uint32_t magnitude = code & S::kMagnitude;
  const std::uint32_t sign = (code & S::kSign) << (32 - F.bits);
  std::uint32_t bits = (magnitude << S::kShift) + S::kRebias;
  if constexpr (F.nan != NanCodes::none) {
    if (F.is_nan(magnitude)) {
      bits |= kFp32Infinity | kFp32Quiet;
    } else if (F.has_infinity() && magnitude == S::kInfinity) {
      bits = kFp32Infinity;
    }
  }
  if constexpr (!S::kSameRange) {
    if (magnitude < S::kSmallestNormal) {
      bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(bits + (1u << 23)) -
                                          std::bit_cast<float>(S::kSmallestNormalFp32));
    }
  }
  return std::bit_cast<float>(sign | bits);
}

template <const FloatFormat& F>
constexpr std::uint32_t float_to_small(float value) noexcept {
  using S = SmallFloat<F>;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> (32 - F.bits)) & S::kSign;
  const std::uint32_t magnitude = bits & ~kFp32Sign;
  if (magnitude > kFp32Infinity) {
    if constexpr (F.has_infinity()) {
      return sign | S::kNan | (((magnitude | kFp32Quiet) >> S::kShift) & F.fraction_mask());
    }
    return sign | S::kNan;
  }
  if (magnitude >= S::kOverflow) return sign | S::kTop;
  if constexpr (!S::kSameRange) {
    if (magnitude < S::kSmallestNormalFp32) {
      const float rounded = std::bit_cast<float>(magnitude) + std::bit_cast<float>(S::kRounder);
      return sign | (std::bit_cast<std::uint32_t>(rounded) - S::kRounder);
    }
  }
  const std::uint32_t even = (magnitude >> S::kShift) & 1;
  const std::uint32_t half = (1u << (S::kShift - 1)) - 1;
  return sign | ((magnitude + half + even - S::kRebias) >> S::kShift);
}

}  // namespace zp
