// tiktoken's list of ranks ("base64-of-bytes rank" per line), also found as tokenizer.model
// (Llama 3). It holds byte-level BPE without its merges: neighbours merge when their joint bytes
// are a token, lowest rank first. Neither the regex nor the special tokens are in it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "text/vocabulary.h"

namespace zp {

bool is_tiktoken(std::string_view file);

/// Fills the draft with tokens in GPT-2's alphabet and the merges that make them: for every token
/// the one pair that remains when its own bytes are merged by all other tokens. A token that its
/// bytes don't lead to has no merge; as a whole word it is still found (ignore_merges).
/// Throws Error for damage, for missing single bytes, and when `stem` (the file's name without its
/// extension) and the number of ranks tell no known regex.
void read_tiktoken(std::string_view file, const std::string& stem, const std::string& where,
                   TokenizerDraft& draft);

}  // namespace zp
