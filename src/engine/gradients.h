// The gradients of rowwise operations: of one row what its output's gradient says of its input. Scalars
// are FP64, sums run in ascending order: the same bits on every instruction set.
#pragma once

#include <span>

#include "base/view.h"
#include "model/decoder.h"

namespace zp {

/// x: what was normed; weight: as long. gradient becomes that of x; of_weight, where it is not
/// empty, has the weight's added.
void norm_gradient(Norm norm, Floats x, Floats weight, double epsilon, std::span<float> gradient,
                   std::span<double> of_weight) noexcept;

/// gradient times the slope at x.
void activation_gradient(Activation activation, Floats x, std::span<float> gradient);

/// x: the router's scores; weights: what route() made of them. gradient becomes that of the scores, while
/// the choice stays as it is.
void route_gradient(Floats x, Floats weights, const Experts& experts, std::span<float> gradient);

}  // namespace zp
