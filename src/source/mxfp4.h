// MXFP4 as gpt-oss is published: X_proj_blocks (codes) and X_proj_scales become one tensor
// X_proj_blocks whose rows are decoded. Source: transformers integrations/mxfp4.py.
#pragma once

#include "source/checkpoint.h"

namespace zp {

/// Does nothing where no tensor's name ends so. What config.json says of this storage is taken out of
/// checkpoint.config(). Throws Error for parts that don't fit together.
void join_mxfp4(Checkpoint& checkpoint);

}  // namespace zp
