// Text into tokens. The ids are those of Hugging Face's `tokenizers`, for a tokenizer.model those
// of libsentencepiece; what differs, through Unicode's versions alone,
// tests/consumers/encode_test.py lists.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.h"
#include "text/normalize.h"
#include "text/split_regex.h"
#include "text/token_model.h"
#include "text/tokenizer.h"

namespace zp {

/// Const use from many threads is safe.
class Encoder {
 public:
  /// Nothing of `tokenizer` is kept by reference. Throws Error at `where` for regular expressions
  /// that don't compile and vocabularies that can't be used.
  Encoder(const Tokenizer& tokenizer, std::string where);

  /// Broken UTF-8 is read as U+FFFD. With `add_special` the tokens around every text are there, as
  /// far as the tokenizer has them. Added tokens that are spelled out in the text are recognized.
  /// Throws Error when a regular expression takes too long on this text.
  std::vector<TokenId> encode(std::string_view text, bool add_special) const;

 private:
  struct Call;  // what one call of encode needs
  void encode_piece(std::string_view piece, bool at_start, Call& call) const;
  void encode_normalized(std::string_view text, bool at_start, Call& call) const;
  void split(std::string_view text, std::size_t level, bool at_start, Call& call) const;
  void encode_word(std::string_view word, bool at_start, Call& call) const;
  void encode_metaspace(std::string_view word, bool at_start, Call& call) const;

  std::string where_;
  bool over_bytes_;
  SpaceMarks marks_;
  SpacePrefix prefix_;
  bool split_at_spaces_;
  std::vector<TokenId> before_, after_;  // around every text
  AddedTokenFinder added_, normalized_added_;
  TextNormalizer normalizer_;
  std::vector<SplitRegex> regexes_;
  std::unique_ptr<TokenModel> model_;
};

}  // namespace zp
