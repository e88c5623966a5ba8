#include "judge/vocabularies.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace zp {
namespace {

Tokenizer tokenizer_of(std::initializer_list<const char*> texts) {
  Tokenizer tokenizer;
  for (const char* text : texts) tokenizer.tokens.push_back({text, 0, TokenType::normal});
  return tokenizer;
}

std::string difference(const Tokenizer& ours, const Tokenizer& reference) {
  try {
    check_same_vocabulary(ours, "ours", reference, "theirs");
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Vocabularies, TheFirstTokenThatDiffersIsNamed) {
  EXPECT_EQ(difference(tokenizer_of({"a", "b"}), tokenizer_of({"a", "b"})), "");
  EXPECT_EQ(difference(tokenizer_of({"a", "c", "b"}), tokenizer_of({"a", "b", "c"})),
            "ours: vocabulary differs from that of theirs at token 1: expected \"b\", found \"c\"");
}

TEST(Vocabularies, ATokenThatOneOfThemLacksIsNamed) {
  EXPECT_EQ(
      difference(tokenizer_of({"a"}), tokenizer_of({"a", "b"})),
      "ours: vocabulary differs from that of theirs at token 1: expected \"b\", found no such "
      "token");
  EXPECT_NE(difference(tokenizer_of({"a", "b"}), tokenizer_of({"a"})), "");
}

TEST(Vocabularies, PaddingMayBeAnything) {
  Tokenizer padded = tokenizer_of({"a", "[PAD1]", "[PAD2]"});
  padded.tokens[1].type = TokenType::unused;
  padded.tokens[2].type = TokenType::unused;
  EXPECT_EQ(difference(padded, tokenizer_of({"a", "b"})), "");
  EXPECT_EQ(difference(tokenizer_of({"a", "b"}), padded), "");
}

}  // namespace
}  // namespace zp
