// MLX's quantized matrices put together: X.weight (codes), X.scales and, if there are, X.biases of
// one module become one tensor X.weight whose rows are decoded (format/mlx.h).
#pragma once

#include "source/checkpoint.h"

namespace zp {

/// Does nothing when config.json has no "quantization". What that says of storage is taken out of
/// checkpoint.config(). Throws Error for a mode that isn't known and parts that don't fit together.
void join_mlx(Checkpoint& checkpoint);

}  // namespace zp
