#include "judge/worst.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

std::vector<TokenScore> scores_of(std::initializer_list<double> kl) {
  std::vector<TokenScore> scores;
  for (const double value : kl) scores.emplace_back().kl = value;
  return scores;
}

// Eight tokens a window: the logits of tokens 4, 5 and 6 are scored, by tokens 5, 6 and 7.
const ScoredText kText{.tokens = {}, .context = 8, .bos = {}};

TEST(Worst, AreTheLargestDivergencesAndWhereTheyStand) {
  const auto worst = worst_tokens(scores_of({1, 5, 2, 7, 3, 4}), kText, 3);
  ASSERT_EQ(worst.size(), 3u);
  EXPECT_EQ(worst[0].score.kl, 7);
  EXPECT_EQ(worst[0].window, 8);
  EXPECT_EQ(worst[0].token, 13);
  EXPECT_EQ(worst[1].score.kl, 5);
  EXPECT_EQ(worst[1].window, 0);
  EXPECT_EQ(worst[1].token, 6);
  EXPECT_EQ(worst[2].score.kl, 4);
  EXPECT_EQ(worst[2].token, 15);
}

TEST(Worst, OfEqualOnesTheEarlierComeFirst) {
  const auto worst = worst_tokens(scores_of({1, 2, 2, 2, 1, 2}), kText, 3);
  ASSERT_EQ(worst.size(), 3u);
  EXPECT_EQ(worst[0].token, 6);
  EXPECT_EQ(worst[1].token, 7);
  EXPECT_EQ(worst[2].token, 13);
}

TEST(Worst, AreFewerWhereThereAreNotAsMany) {
  EXPECT_EQ(worst_tokens(scores_of({1, 2, 3}), kText, 5).size(), 3u);
  EXPECT_TRUE(worst_tokens({}, kText, 5).empty());
}

}  // namespace
}  // namespace zp
