// The gated delta rule, one token of one head: what a state holds for a key fades, is read, and is
// moved towards the token's value (Yang, Kautz and Hatamizadeh, "Gated Delta Networks: Improving
// Mamba2 with Delta Rule", 2024, equation 10).
#pragma once

#include <span>

#include "base/view.h"

namespace zp {

struct DeltaToken {
  Floats query;
  Floats key;    ///< as long
  Floats value;  ///< as long as the output
  float decay = 1;
  float beta = 1;
};

/// state: a row for each element of the key, of the value's length. For each column j by itself,
/// rows i in their order, one fused multiply-add each from +0:
///   read = sum of (state_ij decay) key_i          moved = (value_j - read) beta
///   state_ij <- state_ij decay + key_i moved      out_j = sum of the new state_ij query_i
void delta_step(const DeltaToken& token, std::span<float> state, std::span<float> out) noexcept;

}  // namespace zp
