// Weights that no code can stand for are refused before they are coded.
#pragma once

#include "container/container.h"

namespace zp {

/// w: the job's rows from `begin` on. Throws Error, with the place, for a weight that is NaN,
/// infinite, or beyond what the job's grid can hold.
void check_weights(const TensorJob& job, std::int64_t begin, Floats w);

}  // namespace zp
