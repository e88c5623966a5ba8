// Second moments of a linear's inputs where its columns were changed and the inputs the other way.
#pragma once

#include <vector>

#include "model/rewriting.h"

namespace zp {

/// moments: H, symmetric. With W' = W diag(c) C^T inputs become C diag(1/c) x, and H becomes C
/// diag(1/c) H diag(1/c) C^T; columns whose factor is 0 had inputs that were 0, and have again.
std::vector<float> moved_moments(Matrix moments, const Change& change);

}  // namespace zp
