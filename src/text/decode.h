// Tokens into text, token by token or all at once.
//
// A character whose bytes lie in several tokens comes out when its last byte does. Bytes that
// aren't UTF-8 come out as U+FFFD, in byte-level vocabularies one for as many bytes as still begin
// a character, with "<0xNN>" tokens one for each byte; so do those that wait when the end comes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace zp {

/// Const use from many threads is safe.
class TokenDecoder {
 public:
  explicit TokenDecoder(const Tokenizer& tokenizer);

  /// The bytes that a token stands for wherever it stands; empty for ids out of range.
  std::string_view bytes(TokenId id) const;
  bool is_special(TokenId id) const;

  /// Text as it comes; spaces aren't cleaned up, since that needs what follows.
  class Stream {
   public:
    explicit Stream(const TokenDecoder& decoder, bool skip_special = true)
        : decoder_(&decoder), skip_special_(skip_special) {}
    /// What is complete with this token.
    std::string push(TokenId id);
    /// What was waiting for bytes that didn't come.
    std::string finish();

   private:
    std::string complete(bool at_end);
    const TokenDecoder* decoder_;
    bool skip_special_;
    bool at_start_ = true;
    std::string waiting_;
  };

  /// The whole text, with spaces before punctuation dropped where the tokenizer asks for it.
  std::string decode(std::span<const TokenId> ids, bool skip_special = true) const;

 private:
  struct Piece {
    std::string bytes;
    bool special = false;
    bool byte = false;  // one byte of a character
  };
  std::vector<Piece> pieces_;  // by id
  bool over_bytes_;
  bool drops_first_space_;
  bool clean_up_spaces_;
};

}  // namespace zp
