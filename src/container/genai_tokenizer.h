// What onnxruntime-genai's tokenizer (onnxruntime-extensions, C++) makes of tokenizer.json: where
// it reads otherwise than `tokenizers`, and a form of the file that it reads better. All of it was
// found by asking the runtime; tests/consumers/genai_tokenizer_test.py asks again.
//
//   splitting      the regexes of Split inside a Sequence; else GPT-2's, for classes named Llama...
//                  Llama 3's. Digits and ByteLevel's own regex and space in front are passed over.
//                  Known regexes are matched by code of its own, others as C++ has them
//   words          a word that is a token is that token, whatever the merges say
//   added tokens   by the list of tokenizer.json and its ids; only rstrip is obeyed
//   unknown        a byte without a token is -1
//   normalizers    none
//   SentencePiece  told by a decoder that replaces U+2581; one that strips a space puts one in
//   front.
//                  Words end at spaces
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace zp {

/// In which texts its ids will differ from the tokenizer's own, one line each; empty where none
/// are known. For a file that genai_tokenizer_json has been over.
std::vector<std::string> genai_tokenizer_deviations(const Tokenizer& tokenizer);

/// `source` (a tokenizer.json, from which `tokenizer` comes) with the added tokens, the splitting
/// or the decoder said as the runtime reads them; nullopt where it does as it is. `tokenizer_class`
/// as in tokenizer_config.json, or empty.
std::optional<Json> genai_tokenizer_json(const Json& source, const Tokenizer& tokenizer,
                                         std::string_view tokenizer_class);

}  // namespace zp
