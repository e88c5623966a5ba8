// Rotation (QuaRot, Ashkboos et al. 2024, arXiv 2404.00456): randomised Hadamard matrices
// (model/hadamard.h) spread what is large in few columns over many. pipeline/rotate.h does it.
#include "method/rewrite.h"

namespace zp {

extern const Rewrite rewrite_rotation;
const Rewrite rewrite_rotation{
    "rotation", "the residual stream and heads' values turned by random Hadamard matrices", {}};

}  // namespace zp
