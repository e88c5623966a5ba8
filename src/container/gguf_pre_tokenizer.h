// Which of llama.cpp's pre-tokenizers splits text as a byte-level tokenizer's regexes do.
#pragma once

#include <string>

#include "text/tokenizer.h"

namespace zp {

/// The name for tokenizer.ggml.pre: of the rows with the same regexes the one that also agrees on
/// ignore_merges, else the first. Throws Error printing the regexes when no row has them.
std::string find_pre_tokenizer(const Tokenizer& tokenizer, const std::string& where);
/// False when that row does not agree on ignore_merges.
bool pre_tokenizer_agrees_on_merges(const Tokenizer& tokenizer);

}  // namespace zp
