// What is done to the text between added tokens before it is cut into words: Unicode's normal
// forms, lower case, SentencePiece's map of characters, and the marks for spaces.
//
// Two ways of applying a map of characters are followed: libsentencepiece's (the longest entry at
// each place) and that of `tokenizers` (whole graphemes of fewer than six bytes first, and the
// shortest entry they begin with). Normal forms and graphemes are those of utf8proc's Unicode
// version.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/byte_trie.h"
#include "text/character_map.h"
#include "text/tokenizer.h"

namespace zp {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  ///< U+2581

/// Unicode's White_Space.
bool is_white_space(char32_t c);

/// Const use from many threads is safe.
class TextNormalizer {
 public:
  /// Throws Error at `where` for a damaged map of characters.
  TextNormalizer(const Tokenizer& tokenizer, const std::string& where);

  /// `piece` is UTF-8; `at_start` when the whole text begins with it.
  std::string operator()(std::string_view piece, bool at_start) const;
  /// How a normalized added token is spelled in normalized text.
  std::string added_token(const std::string& text) const;

 private:
  std::string normal_forms(std::string text) const;
  std::string map_graphemes(std::string_view text) const;
  std::string sentencepiece(std::string_view text, bool at_start) const;
  CharacterMap::Replacement sentencepiece_unit(std::string_view text) const;

  std::vector<Normalizer> normalizers_;
  SpaceMarks marks_;
  SpacePrefix prefix_;
  bool remove_extra_whitespaces_;
  CharacterMap map_;
  ByteTrie unchanged_;  // normalized added tokens, for libsentencepiece's way
};

/// Every space replaced by U+2581.
std::string mark_spaces(std::string_view text);

}  // namespace zp
