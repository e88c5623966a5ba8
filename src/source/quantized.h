// Checkpoints whose weights another program has quantized in a way that isn't read: HQQ, AQLM ... They are recognized. What is read has no such tensors any more (source/weight_layout.h,
// source/mlx.h).
#pragma once

#include "source/checkpoint.h"

namespace zp {

/// Takes config.json's quantization_config away where all weights are floats, as merged adapters
/// leave it, and notes it. What is really quantized keeps it.
void settle_quantization(Checkpoint& checkpoint);

/// Throws Error naming the method when the checkpoint's weights are quantized.
void refuse_quantized(const Checkpoint& checkpoint);

}  // namespace zp
