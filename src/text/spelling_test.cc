#include "text/spelling.h"

#include <gtest/gtest.h>

#include "text/tokenizer.h"

namespace zp {
namespace {

Tokenizer with_pieces_of_characters() {
  Tokenizer tokenizer;
  tokenizer.kind = TokenizerKind::unigram;
  tokenizer.byte_fallback = true;
  tokenizer.tokens = {{"<s>", 0, TokenType::control},
                      {"two", 0, TokenType::normal},
                      {"\xe0\xa6\x95", 0, TokenType::normal},  // a Bengali letter
                      {"<0xE0>", 0, TokenType::byte}};
  return tokenizer;
}

TEST(Spelling, CountsTokensThatAreNoWholeCharacters) {
  const Tokenizer tokenizer = with_pieces_of_characters();
  const TokenDecoder decoder(tokenizer);
  Spelling spelling;
  spelling.add(std::vector<TokenId>{0, 1, 2, 3}, decoder);
  EXPECT_EQ(spelling.tokens, 4);
  EXPECT_EQ(spelling.bytes, 3 + 3 + 1);
  EXPECT_EQ(spelling.parts, 1);
  EXPECT_EQ(spelling.bytes_per_token(), 7.0 / 4);
  EXPECT_EQ(spelling.share_of_parts(), 1.0 / 4);
}

TEST(Spelling, OfNothingIsNothing) {
  EXPECT_EQ(Spelling().bytes_per_token(), 0);
  EXPECT_EQ(Spelling().share_of_parts(), 0);
}

}  // namespace
}  // namespace zp
