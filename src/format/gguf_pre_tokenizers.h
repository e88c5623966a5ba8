// llama.cpp's pre-tokenizers: GGUF says only the name (tokenizer.ggml.pre) of the regexes that cut
// text into words. Source: llama-vocab.cpp.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace zp::gguf {

struct PreTokenizer {
  std::string_view name;
  bool ignore_merges;  ///< words that are tokens stay whole
  std::vector<std::string_view> regexes;
  std::string_view deviation = {};  ///< in which texts llama.cpp still splits otherwise
};
std::span<const PreTokenizer> pre_tokenizers();

/// What a file's name means: the row of its regexes, and what llama.cpp sets along with it.
struct PreTokenizerName {
  std::string_view name;
  std::string_view row;  ///< the PreTokenizer's name
  bool ignore_merges;
  bool add_bos;  ///< where tokenizer.ggml.add_bos_token is missing
};
/// nullptr when the name isn't known. No name at all means "default".
const PreTokenizerName* find_pre_tokenizer_name(std::string_view name);
/// The row of a known name.
const PreTokenizer& pre_tokenizer_of(const PreTokenizerName& name);

}  // namespace zp::gguf
