// Documents into tokens: texts as they are, conversations through the model's chat template.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "text/chat_templates.h"
#include "text/dataset.h"
#include "text/encode.h"
#include "text/tokenizer.h"

namespace zp {

/// The tokens of one document, as encode_documents() has them.
std::vector<TokenId> encode_document(const Document& document, const Encoder& encoder,
                                     ChatTemplates& templates, bool add_special);

/// Calls `use` with the tokens of each document in order. With `add_special` texts have the tokens
/// around them that the tokenizer puts there; a template says by itself where they stand. Throws
/// Error at `where`, the tokenizer's place.
void encode_documents(std::span<const Document> documents, const Tokenizer& tokenizer,
                      const std::string& where, bool add_special,
                      const std::function<void(std::vector<TokenId>)>& use);

/// The tokens of all, one document behind the other.
std::vector<TokenId> encode_together(std::span<const Document> documents,
                                     const Tokenizer& tokenizer, const std::string& where);

/// What of the documents no token tells of, counted, a line each for people: fields that no shape
/// of rows has, fields of conversations without which the chat template makes the same text, and
/// the date, which is fixed. Throws Error as encode_documents() does.
std::vector<std::string> unread_notes(std::span<const Document> documents,
                                      const Tokenizer& tokenizer, const std::string& where);

}  // namespace zp
