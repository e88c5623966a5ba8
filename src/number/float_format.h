// Floating-point formats as data: sign, exponent field and fraction field, and what is special.
//
// A code is  sign | exponent field e | fraction field f  from the highest bit down. It means
//
//   e > 0   (-1)^sign  2^(e - bias)  (1 + f / 2^fraction_bits)     normal
//   e = 0   (-1)^sign  2^(1 - bias)  (f / 2^fraction_bits)         subnormal, zero when f = 0
//
// E8M0 alone has neither sign, fraction, zero nor subnormals: code e means 2^(e - 127), e = 0 too.
//
//               above the largest  NaN codes                      encode(NaN)
//   FP64 FP32   infinity           e all ones, f > 0              quiet, leading payload bits kept
//   FP16 BF16   infinity           e all ones, f > 0              the same
//   FP8 E5M2    infinity           e all ones, f > 0              the same
//   FP8 E4M3    largest (448)      S.1111.111 only, no infinity   S.1111.111
//   FP4 E2M1    largest (6)        none, no infinity              largest
//   E8M0        largest (2^127)    1111.1111 only, no infinity    1111.1111, for negatives too
//
// "Largest" is the saturating conversion of the OCP 8-bit floating point and microscaling (MX)
// specifications; infinity saturates as well. Encoding rounds to the nearest value, ties to the
// even code, in every format: E8M0 takes 3 (between 2 and 4) to 2 since 128 is the even one of its
// codes, and takes 0 and everything below 2^-127 to 2^-127. Decoding gives quiet NaNs.
//
// Sources: IEEE 754-2019; OCP 8-bit Floating Point Specification 1.0; OCP Microscaling Formats 1.0.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace zp {

enum class NanCodes {
  ieee,  ///< exponent all ones, fraction not zero; fraction zero is infinity
  top,   ///< all exponent and fraction bits set; no infinity
  none,  ///< neither NaN nor infinity
};

struct FloatFormat {
  std::string_view name;
  int bits;
  int exponent_bits;
  int fraction_bits;
  int bias;
  bool is_signed;
  bool has_zero;  ///< zero and subnormals
  NanCodes nan;

  constexpr bool has_infinity() const { return nan == NanCodes::ieee; }
  constexpr std::uint64_t magnitude_mask() const {
    return (std::uint64_t{1} << (exponent_bits + fraction_bits)) - 1;
  }
  constexpr std::uint64_t sign_bit() const { return is_signed ? magnitude_mask() + 1 : 0; }
  constexpr std::uint64_t fraction_mask() const { return (std::uint64_t{1} << fraction_bits) - 1; }
  /// Code of +infinity; for formats without one, the code after the largest value's.
  constexpr std::uint64_t infinity_code() const { return max_code() + 1; }
  /// Code of the largest value.
  constexpr std::uint64_t max_code() const {
    if (nan == NanCodes::ieee) return magnitude_mask() - fraction_mask() - 1;
    return nan == NanCodes::top ? magnitude_mask() - 1 : magnitude_mask();
  }
  /// Exponent of the smallest normal value.
  constexpr int min_exponent() const { return has_zero ? 1 - bias : -bias; }
  constexpr bool is_nan(std::uint64_t code) const {
    const std::uint64_t magnitude = code & magnitude_mask();
    if (nan == NanCodes::ieee) return magnitude > infinity_code();
    return nan == NanCodes::top && magnitude == magnitude_mask();
  }
};

inline constexpr FloatFormat kFp64{"fp64", 64, 11, 52, 1023, true, true, NanCodes::ieee};
inline constexpr FloatFormat kFp32{"fp32", 32, 8, 23, 127, true, true, NanCodes::ieee};
inline constexpr FloatFormat kFp16{"fp16", 16, 5, 10, 15, true, true, NanCodes::ieee};
inline constexpr FloatFormat kBf16{"bf16", 16, 8, 7, 127, true, true, NanCodes::ieee};
inline constexpr FloatFormat kFp8E4m3{"fp8_e4m3", 8, 4, 3, 7, true, true, NanCodes::top};
inline constexpr FloatFormat kFp8E5m2{"fp8_e5m2", 8, 5, 2, 15, true, true, NanCodes::ieee};
inline constexpr FloatFormat kFp4E2m1{"fp4_e2m1", 4, 2, 1, 1, true, true, NanCodes::none};
inline constexpr FloatFormat kE8m0{"e8m0", 8, 8, 0, 127, false, false, NanCodes::top};

inline constexpr std::array<const FloatFormat*, 8> kFloatFormats = {
    &kFp64, &kFp32, &kFp16, &kBf16, &kFp8E4m3, &kFp8E5m2, &kFp4E2m1, &kE8m0};

/// The format of a name as above, or nullptr.
const FloatFormat* find_float_format(std::string_view name);

/// The reference for all other conversions: one rounding, straight from the double.
std::uint64_t encode(const FloatFormat& format, double value);
/// Exact. Bits of `code` above the format's are ignored.
double decode(const FloatFormat& format, std::uint64_t code);

}  // namespace zp
