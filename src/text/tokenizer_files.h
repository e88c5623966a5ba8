// A tokenizer as the files that Hugging Face's libraries and what is built on them read:
// tokenizer.json and tokenizer_config.json. For sources that hold theirs in another form (GGUF,
// tokenizer.model, vocab.json, tiktoken). The inverse of tokenizer_json.h and tokenizer_config.h.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace zp {

/// nullopt for what isn't written: Unigram, plain BPE, SentencePiece's other ways with spaces.
/// SentencePiece's scores become merges: every pair of pieces whose joint piece there is, the best
/// first.
std::optional<Json> tokenizer_json(const Tokenizer& tokenizer);

/// Those merges.
std::vector<std::pair<std::string, std::string>> merges_by_score(const Tokenizer& tokenizer);

/// Parts of it: a Split for each regex and ByteLevel behind them; a decoder that makes U+2581 a
/// space; the list of added tokens.
Json regex_splitter_json(const Tokenizer& tokenizer);
Json space_decoder_json(const Tokenizer& tokenizer);
Json added_tokens_json(const Tokenizer& tokenizer);

/// Special tokens, flags and chat templates.
Json tokenizer_config_json(const Tokenizer& tokenizer);

}  // namespace zp
