// Adapters in llama.cpp's form (format/gguf_lora.h), of a model's matrices as their Hugging Face checkpoint
// has them, and back: by other names, and in another order of rows or columns.
#pragma once

#include "format/gguf_lora.h"
#include "model/architecture.h"

namespace zp {

/// Throws Error at `where` for an adapter of another architecture, of matrices that the model hasn't, or
/// of other shapes.
peft::Adapter adapter_from_gguf(gguf::Lora lora, const Model& model, const std::string& where);

/// Modules have PEFT's names. Throws Error where the model has no such matrix.
gguf::Lora adapter_to_gguf(peft::Adapter adapter, const Model& model);

}  // namespace zp
