// What a model is trained to say, out of documents.
//
// Of a conversation each answer of the assistant is a lesson: all that stands before it is read, as
// the chat template has it for a model that is to answer, and the answer is said, with the tokens that
// end it. A text is said from its second token on, in pieces.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "text/documents.h"
#include "tune/lora.h"

namespace zp {

struct Lessons {
  std::vector<Lesson> learned;
  std::vector<Lesson> held_out;  ///< of one document, or piece of a text, of every sixteen
  std::int64_t answers = 0;      ///< in all
  std::int64_t too_long = 0;     ///< of these: left out

  std::int64_t longest() const;  ///< tokens of a lesson
};

/// Of at most `most` tokens each. `tokenizer_at`, `data`: what messages begin with. Throws Error where
/// there is nothing to say, or all of it is too long, and for what encode_documents() refuses.
Lessons make_lessons(std::span<const Document> documents, const Tokenizer& tokenizer,
                     const std::string& tokenizer_at, const std::string& data, std::int64_t most);

}  // namespace zp
