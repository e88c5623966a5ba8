// Rows in the order llama.cpp's rotation wants, and its rotation's own tensors.
//
// Hugging Face rotates dimension i of a head together with dimension i + d/2; llama.cpp's "llama"
// graph rotates neighbours 2i and 2i + 1. So the rows of q and k (and their biases) are
// interleaved: new row 2i + h of a head is its old row i + h d/2. Scales go with their rows, so it
// costs nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/architecture.h"

namespace zp {

/// nullptr when the rows stay as they are. Borrows weight.rows.
std::unique_ptr<RowReader> gguf_rows(const Weight& weight, const Decoder& decoder);

/// What a frequency is divided by, as llama.cpp reads it: dims / 2 values under this name.
struct RopeTensor {
  std::string name;
  std::vector<float> divisors;
};
/// llama3: rope_freqs; longrope: rope_factors_long and rope_factors_short; else nothing.
std::vector<RopeTensor> gguf_rope_tensors(const Rope& rope);

}  // namespace zp
