#include "grid/scale_type.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "number/half.h"

namespace zp {
namespace {

constexpr double kFp32Largest = std::numeric_limits<float>::max();
constexpr double kFp16Largest = 65504;
constexpr double kBf16Largest = 0x1.FEp127;

float saturated(double value, double largest) {
  return static_cast<float>(std::clamp(value, -largest, largest));
}

float round_fp32(double v) { return saturated(v, kFp32Largest); }
float round_fp16(double v) { return fp16_to_float(float_to_fp16(saturated(v, kFp16Largest))); }
float round_bf16(double v) { return bf16_to_float(float_to_bf16(saturated(v, kBf16Largest))); }

// 2^e with e in -127...127 (E8M0 without its NaN).
float power_of_two(int exponent) {
  return static_cast<float>(std::ldexp(1.0, std::clamp(exponent, -127, 127)));
}
float round_pow2(double v) {
  if (!(v > 0)) return power_of_two(-127);
  int exponent = 0;
  const double fraction =
      std::frexp(v, &exponent);  // v = fraction 2^exponent, fraction in [1/2, 1)
  return power_of_two(fraction > 0.75 ? exponent : exponent - 1);
}
float cover_pow2(double v) {
  if (!(v > 0)) return power_of_two(-127);
  int exponent = 0;
  const double fraction = std::frexp(v, &exponent);
  return power_of_two(fraction > 0.5 ? exponent : exponent - 1);
}

template <class T>
void store_bits(T bits, std::byte* out) {
  std::memcpy(out, &bits, sizeof bits);
}
template <class T>
T load_bits(const std::byte* in) {
  T bits;
  std::memcpy(&bits, in, sizeof bits);
  return bits;
}

float same(float v) { return v; }

constexpr std::array kScaleTypes = {
    ScaleTypeInfo{"s32",
                  "fp32",
                  4,
                  {round_fp32},
                  {round_fp32},
                  [](float v, std::byte* out) { store_bits(v, out); },
                  [](const std::byte* in) { return load_bits<float>(in); },
                  same,
                  kFp32Largest,
                  24,
                  -149},
    ScaleTypeInfo{"s16",
                  "fp16",
                  2,
                  {round_fp16},
                  {round_fp16},
                  [](float v, std::byte* out) { store_bits(float_to_fp16(v), out); },
                  [](const std::byte* in) { return fp16_to_float(load_bits<std::uint16_t>(in)); },
                  [](float v) { return fp16_to_float(float_to_fp16(v)); },
                  kFp16Largest,
                  11,
                  -24},
    ScaleTypeInfo{"sbf16",
                  "bf16",
                  2,
                  {round_bf16},
                  {round_bf16},
                  [](float v, std::byte* out) { store_bits(float_to_bf16(v), out); },
                  [](const std::byte* in) { return bf16_to_float(load_bits<std::uint16_t>(in)); },
                  [](float v) { return bf16_to_float(float_to_bf16(v)); },
                  kBf16Largest,
                  8,
                  -133},
    ScaleTypeInfo{
        "pow2",
        "e8m0",
        1,
        {round_pow2},
        {cover_pow2},
        [](float v, std::byte* out) { *out = static_cast<std::byte>(std::ilogb(v) + 127); },
        [](const std::byte* in) { return power_of_two(std::to_integer<int>(*in) - 127); },
        same,
        0x1p127,
        1,
        -127},
};

}  // namespace

const ScaleTypeInfo& info(ScaleType type) { return kScaleTypes[static_cast<std::size_t>(type)]; }

ScaleRange scale_range(const ScaleTypeInfo& type) {
  return {type.type_name, type.significant, type.least, std::ilogb(type.largest)};
}

}  // namespace zp
