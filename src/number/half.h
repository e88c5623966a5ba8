// FP16 and BF16 to and from FP32, one at a time. Half to even; NaN stays NaN and turns quiet.
#pragma once

#include "number/small_float.h"

namespace zp {

constexpr float fp16_to_float(std::uint16_t code) noexcept { return small_to_float<kFp16>(code); }
constexpr std::uint16_t float_to_fp16(float value) noexcept {
  return static_cast<std::uint16_t>(float_to_small<kFp16>(value));
}
constexpr float bf16_to_float(std::uint16_t code) noexcept { return small_to_float<kBf16>(code); }
constexpr std::uint16_t float_to_bf16(float value) noexcept {
  return static_cast<std::uint16_t>(float_to_small<kBf16>(value));
}

}  // namespace zp
