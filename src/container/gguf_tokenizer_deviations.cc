// What llama.cpp's tokenizers leave out, each found by comparing ids.
#include <algorithm>
#include <utility>

#include "container/gguf_pre_tokenizer.h"
#include "container/gguf_tokenizer.h"

namespace zp {
namespace {

bool is_normalized(const AddedToken& token) { return token.normalized; }
bool strips_spaces(const AddedToken& token) { return token.lstrip || token.rstrip; }

bool misses_a_byte(const Tokenizer& tokenizer) {
  return std::count_if(tokenizer.tokens.begin(), tokenizer.tokens.end(),
                       [](const Token& t) { return t.type == TokenType::byte; }) < 256;
}

}  // namespace

std::vector<std::string> gguf_tokenizer_deviations(const Tokenizer& t) {
  std::vector<std::string> lines;
  const auto add_if = [&lines](bool holds, const char* line) {
    if (holds) lines.emplace_back(line);
  };
  const bool sentencepiece = t.kind == TokenizerKind::sentencepiece_bpe;
  add_if(!t.normalizers.empty(),
         "text that isn't in Unicode's normal form C (llama.cpp doesn't normalize)");
  add_if(std::any_of(t.added.begin(), t.added.end(), strips_spaces),
         "spaces beside special tokens that swallow them (llama.cpp keeps those, except in models "
         "named phi-3)");
  add_if(sentencepiece && t.space_prefix != SpacePrefix::never &&
             std::any_of(t.added.begin(), t.added.end(), is_normalized),
         "special tokens inside a text (the files look for them with a space in front)");
  add_if(sentencepiece && t.space_prefix == SpacePrefix::first,
         "text right behind a special token (llama.cpp puts a space in front of it)");
  add_if(sentencepiece && t.remove_extra_whitespaces, "runs of spaces (llama.cpp keeps them)");
  add_if(sentencepiece && t.split_at_spaces, "runs of spaces (llama.cpp may join them)");
  add_if(sentencepiece && misses_a_byte(t),
         "unknown characters (there are no byte tokens for them)");
  if (t.kind != TokenizerKind::byte_bpe) return lines;
  for (std::string& line : pre_tokenizer_deviations(t)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace zp
