#include "base/checked.h"

#include <gtest/gtest.h>

#include <limits>

namespace zp {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(Checked, GivesSumsAndProductsThatFit) {
  EXPECT_EQ(checked_mul(3, 5, "x"), 15);
  EXPECT_EQ(checked_mul(kMax, 1, "x"), kMax);
  EXPECT_EQ(checked_mul(0, kMax, "x"), 0);
  EXPECT_EQ(checked_add(kMax - 1, 1, "x"), kMax);
}

TEST(Checked, RefusesWhatWouldWrapOrIsNegative) {
  EXPECT_THROW(checked_mul(std::int64_t{1} << 32, std::int64_t{1} << 31, "x"), Error);
  EXPECT_THROW(checked_mul(-1, 1, "x"), Error);
  EXPECT_THROW(checked_mul(-1, -1, "x"), Error);
  EXPECT_THROW(checked_add(kMax, 1, "x"), Error);
  EXPECT_THROW(checked_add(-1, 5, "x"), Error);
  EXPECT_THROW(checked_add(5, -1, "x"), Error);
}

TEST(Checked, SaysBothNumbers) {
  try {
    checked_mul(kMax, 3, "tensor \"a\"");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "tensor \"a\": size overflows 64 bits: found 9223372036854775807 x 3");
  }
}

TEST(CeilDiv, RoundsUpOverTheWholeRange) {
  EXPECT_EQ(ceil_div(0, 32), 0);
  EXPECT_EQ(ceil_div(1, 32), 1);
  EXPECT_EQ(ceil_div(32, 32), 1);
  EXPECT_EQ(ceil_div(33, 32), 2);
  EXPECT_EQ(ceil_div(kMax, 2), kMax / 2 + 1);
  EXPECT_EQ(ceil_div(kMax, kMax), 1);
}

TEST(RoundUp, GivesTheNextMultiple) {
  EXPECT_EQ(round_up(0, 32), 0);
  EXPECT_EQ(round_up(1, 32), 32);
  EXPECT_EQ(round_up(64, 32), 64);
  EXPECT_EQ(round_up(65, 32), 96);
}

}  // namespace
}  // namespace zp
