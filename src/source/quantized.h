// Checkpoints whose weights another program has quantized: GPTQ, AWQ, bitsandbytes ... They are
// recognized, not read. MLX's are no matter of this: source/mlx.h reads them.
#pragma once

#include "source/checkpoint.h"

namespace zp {

/// Takes config.json's quantization_config away where all weights are floats, as merged adapters
/// leave it, and notes it. What is really quantized keeps it.
void settle_quantization(Checkpoint& checkpoint);

/// Throws Error naming the method when the checkpoint's weights are quantized.
void refuse_quantized(const Checkpoint& checkpoint);

}  // namespace zp
