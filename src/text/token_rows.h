// Tokens that the embedding has no row for: the model can't read them, nor write them.
#pragma once

#include <cstdint>

#include "text/tokenizer.h"

namespace zp {

/// Leaves out added tokens with ids of `rows` and more, and says so in the tokenizer's notes. Their
/// text is text like any other then. Leaves all as it is where an ordinary token, or one that every
/// text begins or ends with, is among them.
void leave_out_tokens_without_rows(Tokenizer& tokenizer, std::int64_t rows);

}  // namespace zp
