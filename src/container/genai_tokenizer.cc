#include "container/genai_tokenizer.h"

#include <algorithm>
#include <string_view>

namespace zp {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

// "upon a tim", but not a run of spaces with or without a word behind it.
bool reaches_across_spaces(const Token& token) {
  std::string_view text = token.text;
  while (text.starts_with(kSpaceMark)) text.remove_prefix(kSpaceMark.size());
  return token.type == TokenType::normal && text.find(kSpaceMark) != std::string_view::npos;
}

}  // namespace

std::vector<std::string> genai_tokenizer_deviations(const Tokenizer& t) {
  std::vector<std::string> lines;
  const auto add_if = [&lines](bool holds, const char* line) {
    if (holds) lines.emplace_back(line);
  };
  const auto has = [&](Normalizer n) {
    return std::ranges::find(t.normalizers, n) != t.normalizers.end();
  };
  add_if(has(Normalizer::lowercase), "text that isn't in lower case (it doesn't make it so)");
  add_if(t.kind == TokenizerKind::plain_bpe, "unknown characters (it gives -1 for them)");
  add_if(t.kind == TokenizerKind::sentencepiece_bpe && !t.split_at_spaces &&
             std::ranges::any_of(t.tokens, reaches_across_spaces),
         "words whose tokens reach across spaces (it cuts there first)");
  return lines;
}

}  // namespace zp
