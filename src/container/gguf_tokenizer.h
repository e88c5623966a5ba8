// A tokenizer in GGUF: the tokenizer.* pairs that llama.cpp's loader reads (llama-vocab.cpp).
//
//   model "llama"  SentencePiece's BPE: scores, no merges, pre "default"
//   model "gpt2"   byte-level BPE: merges; pre names the splitting into words, which isn't in the
//   file
//
// pre is found from the regexes themselves (pre_tokenizers.inc). Unigram and other kinds are
// refused: llama.cpp's decoders have no such tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "format/gguf.h"
#include "text/tokenizer.h"

namespace zp {

/// `rows`: rows of the embedding, up to which unused tokens are appended. `generation_config` (or
/// null) may name several ends of generation; one that isn't eos becomes eot. `pre_override`
/// replaces the name found when not empty. `where` begins messages. Throws Error for what the
/// format can't hold.
std::vector<gguf::Pair> gguf_tokenizer(const Tokenizer& tokenizer, std::int64_t rows,
                                       const Json& generation_config,
                                       const std::string& pre_override, const std::string& where);

/// The pairs of a model without a tokenizer. The loader takes the vocabulary's size from
/// "<architecture>.vocab_size".
std::vector<gguf::Pair> gguf_no_tokenizer();

/// In which texts llama.cpp's ids will differ from the tokenizer's own, one line each; empty where
/// none are known.
std::vector<std::string> gguf_tokenizer_deviations(const Tokenizer& tokenizer);

}  // namespace zp
