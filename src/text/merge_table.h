// Which two neighbours merge, how early, and into what.
//
// From a list of merges the rank is the place in the list. SentencePiece has no such list: any two
// neighbours merge whose joint text is a token, the best score first; equal scores have equal
// ranks. Characters that begin such merges without being tokens get symbols behind the last token.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "text/flat_map.h"
#include "text/tokenizer.h"

namespace zp {

class MergeTable {
 public:
  using Rank = std::uint32_t;
  static constexpr Rank kNever = std::numeric_limits<Rank>::max();

  struct Merge {
    Rank rank = kNever;
    TokenId result = 0;
  };

  /// Throws Error at `where` for a token that is longer than any real one.
  MergeTable(const Tokenizer& tokenizer, const std::vector<bool>& of_model,
             const std::string& where);

  Merge merge(TokenId left, TokenId right) const {
    const std::uint64_t found = pairs_.get(key(left, right));
    if (found == FlatMap::kNone) return {};
    return {static_cast<Rank>(found >> 32), static_cast<TokenId>(found & 0xFFFFFFFFu)};
  }

  /// Whether there is no list of merges. Then only pieces, not control tokens and such, take part.
  bool by_score() const { return by_score_; }
  static bool is_piece(const Token& token);

  /// Characters that aren't tokens; the symbol of the n-th is the number of tokens plus n.
  const std::vector<std::string>& other_characters() const { return other_; }

 private:
  static std::uint64_t key(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
  }
  void add(TokenId left, TokenId right, std::size_t rank, TokenId result);
  void read_merges(const Tokenizer& tokenizer, const std::vector<bool>& of_model);
  void derive_from_scores(const Tokenizer& tokenizer, const std::string& where);

  bool by_score_;
  FlatMap pairs_;
  std::vector<std::string> other_;
};

}  // namespace zp
