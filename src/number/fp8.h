// FP8, FP4 and E8M0 to and from FP32, one at a time. Policies: float_format.h.
#pragma once

#include "number/small_float.h"

namespace zp {

constexpr float fp8_e4m3_to_float(std::uint8_t code) noexcept {
  return small_to_float<kFp8E4m3>(code);
}
constexpr std::uint8_t float_to_fp8_e4m3(float value) noexcept {
  return static_cast<std::uint8_t>(float_to_small<kFp8E4m3>(value));
}
constexpr float fp8_e5m2_to_float(std::uint8_t code) noexcept {
  return small_to_float<kFp8E5m2>(code);
}
constexpr std::uint8_t float_to_fp8_e5m2(float value) noexcept {
  return static_cast<std::uint8_t>(float_to_small<kFp8E5m2>(value));
}
/// The code is the low four bits.
constexpr float fp4_e2m1_to_float(std::uint8_t code) noexcept {
  return small_to_float<kFp4E2m1>(code);
}
constexpr std::uint8_t float_to_fp4_e2m1(float value) noexcept {
  return static_cast<std::uint8_t>(float_to_small<kFp4E2m1>(value));
}

constexpr float e8m0_to_float(std::uint8_t code) noexcept {
  if (code == 0xFF) return std::bit_cast<float>(kFp32Infinity | kFp32Quiet);
  // 2^-127 is subnormal in FP32.
  return std::bit_cast<float>(code == 0 ? kFp32Quiet : std::uint32_t{code} << 23);
}
constexpr std::uint8_t float_to_e8m0(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & ~kFp32Sign) > kFp32Infinity || (bits > kFp32Sign)) return 0xFF;
  if (bits >= kFp32Infinity || bits == kFp32Sign) return bits == kFp32Sign ? 0x00 : 0xFE;
  // Halfway between two powers is 1.5 times the lower one, except between none and 2^-127.
  const std::uint32_t code = bits >> 23;
  const std::uint32_t rest = bits & kFp32.fraction_mask();
  const std::uint32_t half = code == 0 ? (0x00400000u + 0x00200000u) : 0x00400000u;
  const bool up = rest > half || (rest == half && (code & 1) != 0);
  return static_cast<std::uint8_t>(code + up > 0xFE ? 0xFE : code + up);
}

}  // namespace zp
