// Which of llama.cpp's pre-tokenizers splits text as a byte-level tokenizer's regexes do.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace zp {

/// The name for tokenizer.ggml.pre: of the rows with the same regexes the one that also agrees on
/// ignore_merges, else the first. Throws Error printing the regexes when no row has them.
std::string find_pre_tokenizer(const Tokenizer& tokenizer, const std::string& where);
/// In which texts that pre-tokenizer makes other words, one line each.
std::vector<std::string> pre_tokenizer_deviations(const Tokenizer& tokenizer);

}  // namespace zp
