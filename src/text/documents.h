// Documents into tokens: texts as they are, conversations through the model's chat template.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "text/chat_template.h"
#include "text/dataset.h"
#include "text/tokenizer.h"

namespace zp {

/// Throws Error at `where` when the tokenizer has no template, or one that can't be read.
ChatTemplate chat_template_of(const Tokenizer& tokenizer, const std::string& where);
/// What templates ask of the tokenizer: its BOS and EOS.
ChatOptions chat_options_of(const Tokenizer& tokenizer);

/// The tokens of each document. With `add_special` texts have the tokens around them that the
/// tokenizer puts there; a template says by itself where they stand. Throws Error at `where`, the
/// tokenizer's place.
std::vector<std::vector<TokenId>> encode_documents(std::span<const Document> documents,
                                                   const Tokenizer& tokenizer,
                                                   const std::string& where, bool add_special);

}  // namespace zp
