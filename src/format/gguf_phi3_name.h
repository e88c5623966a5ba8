// llama.cpp (src/llama-vocab.cpp) looks into general.name: one with "phi-3" or "phi3" in it, upper or
// lower case, makes special tokens swallow the white space behind them, as the added tokens of
// Phi-3's own tokenizer do.
#pragma once

#include <cstddef>
#include <string>

namespace zp::gguf {

/// Where that begins; npos: nowhere.
std::size_t find_phi3(std::string name);

}  // namespace zp::gguf
