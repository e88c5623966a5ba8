#include "number/float_format.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace zp {
namespace {

constexpr int kDoubleFraction = 52;
constexpr std::uint64_t kQuiet = std::uint64_t{1} << 51;

std::uint64_t encode_nan(const FloatFormat& f, std::uint64_t bits) {
  if (f.nan != NanCodes::ieee) return f.magnitude_mask();
  return f.infinity_code() |
         (((bits | kQuiet) & kFp64.fraction_mask()) >> (kDoubleFraction - f.fraction_bits));
}

// Code of a finite magnitude before the check for overflow.
std::uint64_t encode_finite(const FloatFormat& f, double magnitude) {
  if (magnitude == 0) return 0;
  int exponent = 0;  // magnitude = significand * 2^exponent, significand in [1, 2)
  const double significand = 2 * std::frexp(magnitude, &exponent);
  --exponent;
  if (exponent < f.min_exponent() - f.fraction_bits - 1) return 0;  // below half the smallest
  const int scale = std::max(exponent, f.min_exponent());

  // The significand in units of the last place, as an integer with `shift` bits to round away.
  const auto whole = static_cast<std::uint64_t>(std::ldexp(significand, kDoubleFraction));
  const int shift = kDoubleFraction - f.fraction_bits + (scale - exponent);
  const std::uint64_t units = whole >> shift;
  const std::uint64_t rest = whole & ((std::uint64_t{1} << shift) - 1);
  const std::uint64_t half = shift == 0 ? 1 : std::uint64_t{1} << (shift - 1);

  // Without zero every unit is an exponent's first: code 0 is one unit, and none is code 0 too.
  if (!f.has_zero && units == 0) return 0;
  const std::uint64_t code =
      (static_cast<std::uint64_t>(scale - f.min_exponent()) << f.fraction_bits) + units -
      (f.has_zero ? 0 : 1);
  return code + ((rest > half || (rest == half && (code & 1) != 0)) ? 1 : 0);
}

}  // namespace

const FloatFormat* find_float_format(std::string_view name) {
  const auto* found = std::find_if(kFloatFormats.begin(), kFloatFormats.end(),
                                   [&](const FloatFormat* f) { return f->name == name; });
  return found == kFloatFormats.end() ? nullptr : *found;
}

std::uint64_t encode(const FloatFormat& f, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t sign = std::signbit(value) ? f.sign_bit() : 0;
  if (std::isnan(value)) return sign | encode_nan(f, bits);
  if (!f.is_signed && value < 0) return f.magnitude_mask();
  const std::uint64_t top = f.has_infinity() ? f.infinity_code() : f.max_code();
  if (std::isinf(value)) return sign | top;
  return sign | std::min(encode_finite(f, std::fabs(value)), top);
}

double decode(const FloatFormat& f, std::uint64_t code) {
  const std::uint64_t magnitude = code & f.magnitude_mask();
  const std::uint64_t fraction = code & f.fraction_mask();
  const bool negative = (code & f.sign_bit()) != 0;
  if (f.is_nan(code)) {
    const std::uint64_t sign = negative ? kFp64.sign_bit() : 0;
    return std::bit_cast<double>(sign | kFp64.infinity_code() | kQuiet |
                                 (fraction << (kDoubleFraction - f.fraction_bits)));
  }
  double value = INFINITY;
  if (!f.has_infinity() || magnitude != f.infinity_code()) {
    const auto field = static_cast<int>(magnitude >> f.fraction_bits);
    const bool normal = field > 0 || !f.has_zero;
    const std::uint64_t units = normal ? fraction + f.fraction_mask() + 1 : fraction;
    value = std::ldexp(static_cast<double>(units),
                       std::max(field, f.has_zero ? 1 : 0) - f.bias - f.fraction_bits);
  }
  return negative ? -value : value;
}

}  // namespace zp
