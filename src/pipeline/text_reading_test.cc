#include "pipeline/text_reading.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

TextLoss loss_of_equal_chances(std::size_t tokens) {
  TextLoss loss;
  loss.add(std::vector<float>(tokens), 0);
  return loss;
}

TEST(TextReading, OfPiecesOfCharactersIsForeign) {
  TextReading reading;
  reading.files = {.tokens = 100, .bytes = 400, .parts = 9};
  EXPECT_FALSE(reading.is_foreign());
  reading.files.parts = 11;
  EXPECT_TRUE(reading.is_foreign());
  EXPECT_EQ(to_text(reading), "4.00 bytes a token, 11.0 % of the tokens are pieces of characters");
}

TEST(TextReading, OfTextThatTheModelFindsRandomIsForeign) {
  TextReading reading;
  reading.files = {.tokens = 100, .bytes = 400, .parts = 0};
  reading.loss = loss_of_equal_chances(90);
  EXPECT_FALSE(reading.is_foreign());
  EXPECT_EQ(to_text(reading), "4.00 bytes a token, perplexity 90.00 where the model expects 90.00");
  reading.loss = loss_of_equal_chances(110);
  EXPECT_TRUE(reading.is_foreign());
  // What it wrote itself is not.
  reading.own = std::exchange(reading.files, {});
  EXPECT_FALSE(reading.is_foreign());
  EXPECT_TRUE(to_text(reading).starts_with("4.00 bytes a token of its own text"));
}

}  // namespace
}  // namespace zp
