// How fast each pair of dimensions of the rotary embedding turns.
#pragma once

#include <cstdint>
#include <vector>

#include "model/decoder.h"

namespace zp {

/// What pair i's frequency theta^(-2 i / dims) is divided by under Llama 3's scaling: long
/// wavelengths are stretched by the factor, short ones stay, those between are blended.
float llama3_divisor(const Rope& rope, std::int64_t i);

struct RotaryFactors {
  /// dims / 2, in radians per position. Rounded to FP32, as every runtime holds them.
  std::vector<float> frequencies;
  double attention_factor = 1;  ///< multiplies cos and sin

  bool operator==(const RotaryFactors&) const = default;
};

/// Of a sequence that will have `length` tokens: longrope takes its long factors beyond the original
/// context.
RotaryFactors rotary_factors(const Rope& rope, std::int64_t length);

}  // namespace zp
