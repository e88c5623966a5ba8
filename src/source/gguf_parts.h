// GGUF models split over files by llama.cpp: split.count parts, of which the first has the
// metadata.
#pragma once

#include "source/checkpoint.h"

namespace zp {

/// Throws Error unless all parts that the first one speaks of were read.
void check_gguf_parts(const Checkpoint& checkpoint);

}  // namespace zp
