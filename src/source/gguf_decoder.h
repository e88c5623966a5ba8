// What a GGUF file's model computes: its keys and tensors, for every architecture alike. What they
// leave open is a fact of llama.cpp's graph (GgufFacts). Source: llama.cpp src/llama-model.cpp.
#pragma once

#include "model/architecture.h"
#include "source/checkpoint.h"

namespace zp {

/// By general.architecture. Throws Error naming the ones there are.
const Architecture& find_gguf_architecture(const Checkpoint& checkpoint);

/// Throws Error naming a key whose meaning isn't known, or that is missing or makes no sense.
Decoder read_gguf_decoder(const Architecture& architecture, const Checkpoint& checkpoint);

}  // namespace zp
