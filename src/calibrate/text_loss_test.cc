#include "calibrate/text_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace zp {
namespace {

// Of logits that are logarithms of the probabilities, up to a constant.
std::vector<float> logits_of(const std::vector<double>& probabilities, double constant) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + constant));
  return logits;
}

TEST(TextLoss, OfEqualChancesIsTheirNumber) {
  TextLoss loss;
  loss.add(std::vector<float>(8, 3.0F), 5);
  EXPECT_NEAR(loss.perplexity(), 8, 1e-12);
  EXPECT_NEAR(loss.expected_perplexity(), 8, 1e-12);
}

TEST(TextLoss, WhatIsUnlikelyAndComesIsFarFromWhatIsExpected) {
  const std::vector<double> p = {0.5, 0.25, 0.125, 0.125};
  TextLoss loss;
  loss.add(logits_of(p, 7), 3);
  EXPECT_NEAR(loss.perplexity(), 8, 1e-5);
  EXPECT_NEAR(loss.expected_perplexity(), std::exp2(1.75), 1e-5);
}

TEST(TextLoss, IsTheMeanOverTokens) {
  const std::vector<double> p = {0.5, 0.25, 0.125, 0.125};
  TextLoss loss;
  for (const std::int32_t token : {0, 0, 0, 0, 1, 1, 2, 3}) loss.add(logits_of(p, -2), token);
  EXPECT_EQ(loss.tokens(), 8);
  EXPECT_NEAR(loss.perplexity(), std::exp2(1.75), 1e-5);
  EXPECT_NEAR(loss.expected_perplexity(), std::exp2(1.75), 1e-5);
}

}  // namespace
}  // namespace zp
