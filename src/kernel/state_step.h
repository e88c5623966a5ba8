// A selective state space, one token of one head: its state fades, is written and is read (Dao and Gu,
// "Transformers are SSMs", 2024, equation 2 with a matrix A that is a number).
#pragma once

#include <span>

#include "base/view.h"

namespace zp {

struct StateToken {
  Floats input;    ///< as long as the output
  Floats write;    ///< a number for each row of the state
  Floats read;     ///< as long
  float step = 1;  ///< the input is multiplied by it where it is written
  float left = 1;  ///< of the state
  float skip = 0;  ///< what the input is multiplied by where it is added to what is read
};

/// state: rows of the input's length. For each column j by itself, rows i in their order, one fused
/// multiply-add each:
///   state_ij <- state_ij left + write_i (step input_j)
///   out_j = (sum of the new state_ij read_i, from +0) + skip input_j
void state_step(const StateToken& token, std::span<float> state, std::span<float> out) noexcept;

}  // namespace zp
