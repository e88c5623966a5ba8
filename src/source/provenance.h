// Where a model comes from and under which licence, in GGUF's words (gguf's constants.py,
// metadata.py): general.license, .license.name, .license.link, .author, .tags, .languages,
// .base_model.N.*, ...
#pragma once

#include <vector>

#include "format/gguf.h"
#include "source/checkpoint.h"

namespace zp {

/// A GGUF file's own such keys; of other checkpoints what the head of README.md in their folder
/// says, as llama.cpp's converter takes it. What isn't known is not there.
std::vector<gguf::Pair> provenance_of(const Checkpoint& checkpoint);

}  // namespace zp
