#include "text/token_rows.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

Tokenizer with_two_added() {
  Tokenizer t;
  t.tokens = {{"a"}, {"b"}, {"<x>", 0, TokenType::control}, {"<y>", 0, TokenType::control}};
  t.added = {{2, "<x>", true}, {3, "<y>", true}};
  t.eos = 2;
  t.pad = 3;
  return t;
}

TEST(TokenRows, AddedTokensBeyondTheRowsAreLeftOutAndSaid) {
  Tokenizer t = with_two_added();
  leave_out_tokens_without_rows(t, 3);
  EXPECT_EQ(t.tokens.size(), 3u);
  ASSERT_EQ(t.added.size(), 1u);
  EXPECT_EQ(t.added[0].text, "<x>");
  EXPECT_EQ(t.eos, 2);
  EXPECT_EQ(t.pad, std::nullopt);
  ASSERT_EQ(t.notes.size(), 1u);
  EXPECT_NE(t.notes[0].find("<y>"), std::string::npos);
  EXPECT_NE(t.notes[0].find("3 rows"), std::string::npos);
}

TEST(TokenRows, OrdinaryTokensStayAndSoDoAll) {
  for (const std::int64_t rows : {1, 4, 9}) {
    Tokenizer t = with_two_added();
    leave_out_tokens_without_rows(t, rows);
    EXPECT_EQ(t.tokens.size(), 4u) << rows;
    EXPECT_TRUE(t.notes.empty()) << rows;
  }
}

TEST(TokenRows, ATokenThatEveryTextEndsWithStays) {
  Tokenizer t = with_two_added();
  t.eos = 3;
  t.add_eos = true;
  leave_out_tokens_without_rows(t, 3);
  EXPECT_EQ(t.tokens.size(), 4u);
}

}  // namespace
}  // namespace zp
