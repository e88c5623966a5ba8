// What a row of logits says as probabilities, and how far another row is from it. Sums run in FP64
// over eight fixed lanes: the same bits on every instruction set.
#pragma once

#include <span>

#include "base/view.h"

namespace zp {

/// log sum e^x. Relative error of the sum below 2^-45; NaN when a logit is NaN.
double log_sum(Floats logits) noexcept;

/// out[i] = e^((logits[i] - largest) / temperature), as portable_exp() has it, to the bit; 0 below
/// e^-700. largest: at least every logit.
void shares(Floats logits, float largest, double temperature, std::span<double> out) noexcept;

struct Divergence {
  double log_sum_p = 0;  ///< of the first logits
  double log_sum_q = 0;  ///< of the second
  double kl = 0;         ///< sum p log(p / q), p and q their softmax; 0 to the bit for equal rows
};

/// p, q: logits, the same length.
Divergence divergence(Floats p, Floats q) noexcept;

}  // namespace zp
