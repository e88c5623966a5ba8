// Adapters as llama.cpp stores them: a GGUF file without a model,
//
//   general.type "adapter" | general.architecture | adapter.type "lora" | adapter.lora.alpha
//   TENSOR.lora_a    r x inputs
//   TENSOR.lora_b    outputs x r
//
// TENSOR: what the matrix is called in the model's own GGUF file, in whose order rows and columns are.
// What both make is multiplied by alpha / r, or by 1 where alpha is 0.
// Source: llama.cpp, src/llama-adapter.cpp and convert_lora_to_gguf.py.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "format/peft.h"

namespace zp::gguf {

struct Lora {
  std::string architecture;  ///< general.architecture of the model's file
  float alpha = 0;
  std::int64_t rank = 0;
  std::vector<peft::Module> modules;  ///< by their tensors' names
};

/// Of matrices in FP32, FP16 or BF16. `where` begins messages. Throws Error for what isn't there or isn't
/// whole, for adapters of another kind, and where ranks differ.
Lora read_lora(Bytes file, const std::string& where);

/// The file appears when it is complete. Matrices are FP32. Throws Error where it exists and `replace`
/// is false. REQUIRES: it has a module.
void write_lora(const Lora& lora, const std::filesystem::path& path, bool replace);

}  // namespace zp::gguf
