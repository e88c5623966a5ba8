// From a word to tokens: the part of a tokenizer that was learned.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace zp {

/// Const use from many threads is safe.
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  /// Appends the tokens of `word`, UTF-8 as normalization left it. Unigram throws Error for what
  /// the vocabulary has no token for, when there is no unknown token either.
  virtual void encode(std::string_view word, std::vector<TokenId>& ids) const = 0;
};

/// Throws Error at `where` for a vocabulary that can't be used.
std::unique_ptr<TokenModel> make_bpe(const Tokenizer& tokenizer, const std::string& where);
std::unique_ptr<TokenModel> make_unigram(const Tokenizer& tokenizer, const std::string& where);

/// Tokens of single bytes by value, -1 where there is none: "<0x0A>" and so on.
std::vector<TokenId> byte_tokens(const Tokenizer& tokenizer);

/// Which tokens the model itself knows, by id: all but those that were only added.
std::vector<bool> tokens_of_model(const Tokenizer& tokenizer);

}  // namespace zp
