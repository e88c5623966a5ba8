// A tokenizer as two OpenVINO graphs of openvino_tokenizers' operations, as its generation library
// loads them beside a decoder: text into ids, and ids into text.
//
//   tokenizer     string [texts]       -> input_ids, attention_mask   int64 [texts, tokens]
//   detokenizer   int64 [texts, tokens] -> string_output               string [texts]
//
// A list of strings is three values there: where each begins, where it ends, and the bytes of all. A
// list of lists has two more in front. Texts of unlike lengths are filled up on the left, as decoders
// want it.
//
// Unigram models aren't written: of bytes that unknown characters fall back to the operation
// (UnigramTokenizer, 2026.4.1) makes the unknown token, whatever its attribute byte_fallback says.
//
// Source: openvino_tokenizers src/*.cpp, python/openvino_tokenizers/tokenizer_pipeline.py.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "container/graph_builder.h"
#include "text/tokenizer.h"

namespace zp {

/// What of the tokenizer the operations can't do, for people; empty: nothing, there are graphs of it.
std::string openvino_tokenizer_lacks(const Tokenizer& tokenizer);

/// In which texts the ids will differ from the tokenizer's own, one line each; empty where none are
/// known. Found by asking the runtime; tests/consumers/openvino_tokenizer_test.py asks again.
std::vector<std::string> openvino_tokenizer_deviations(const Tokenizer& tokenizer);

struct TokenizerGraph {
  std::vector<GraphNode> nodes;
  std::deque<GraphConstant> constants;
};

/// REQUIRES: openvino_tokenizer_lacks() has nothing to say. Throws Error at `where` for regular
/// expressions that have no form for PCRE2.
TokenizerGraph openvino_tokenizer(const Tokenizer& tokenizer, const std::string& where);
TokenizerGraph openvino_detokenizer(const Tokenizer& tokenizer);

/// What the generation library looks for in either graph: special tokens' ids, the chat template.
std::vector<std::pair<std::string, std::string>> openvino_tokenizer_info(
    const Tokenizer& tokenizer);

}  // namespace zp
