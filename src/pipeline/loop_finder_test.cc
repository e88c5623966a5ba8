#include "pipeline/loop_finder.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/random.h"

namespace zp {
namespace {

// Tokens until it says so; 0: it never does.
int tokens_until_loop(int tokens, const std::function<TokenId(int)>& token) {
  LoopFinder loops;
  for (int i = 0; i < tokens; ++i) {
    if (loops.push(token(i))) return i + 1;
  }
  return 0;
}

TEST(LoopFinder, FindsFewTokensAgainAndAgain) {
  EXPECT_EQ(tokens_until_loop(512, [](int) { return 7; }), 25);
  EXPECT_EQ(tokens_until_loop(512, [](int i) { return i % 2; }), 26);
  EXPECT_EQ(tokens_until_loop(512, [](int i) { return i < 100 ? i : i % 12; }), 160);
  EXPECT_EQ(tokens_until_loop(512, [](int i) { return i % 32; }), 160);
}

TEST(LoopFinder, PassesOverWhatTextsHave) {
  EXPECT_EQ(tokens_until_loop(512, [](int i) { return i % 33; }), 0);
  EXPECT_EQ(tokens_until_loop(512, [](int i) { return i % 23 == 0 ? i : 7; }), 0);
  Random random(1);
  EXPECT_EQ(tokens_until_loop(5000, [&](int) { return static_cast<TokenId>(random.below(3)); }), 0);
}

}  // namespace
}  // namespace zp
