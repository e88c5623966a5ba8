#include "base/human.h"

#include <gtest/gtest.h>

#include <limits>

namespace zp {
namespace {

TEST(Human, RatesHaveTheUnitOfTheirSize) {
  EXPECT_EQ(human_rate(0.5, "tokens"), "0.5 tokens/s");
  EXPECT_EQ(human_rate(12.34, "tokens"), "12.3 tokens/s");
  EXPECT_EQ(human_rate(999.4, "tokens"), "999 tokens/s");
  EXPECT_EQ(human_rate(999.6, "tokens"), "1 k tokens/s");
  EXPECT_EQ(human_rate(1720, "tokens"), "1.72 k tokens/s");
  EXPECT_EQ(human_rate(35.06e6, "weights"), "35.1 M weights/s");
  EXPECT_EQ(human_rate(1.5e9, "B"), "1.5 GB/s");
  EXPECT_EQ(human_rate(3e15, "weights"), "3000 T weights/s");
  EXPECT_EQ(human_rate(std::numeric_limits<double>::infinity(), "tokens"), "? tokens/s");
}

TEST(Human, BytesHaveThreeDigits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(999'499), "999 kB");
  EXPECT_EQ(human_bytes(999'500), "1 MB");
  EXPECT_EQ(human_bytes(1'234'567'890), "1.23 GB");
}

TEST(Human, CountsAreGrouped) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1'234'567), "1,234,567");
}

TEST(Human, OneOfAThingIsNotMany) {
  EXPECT_EQ(human_counted(0, "token"), "0 tokens");
  EXPECT_EQ(human_counted(1, "token"), "1 token");
  EXPECT_EQ(human_counted(4567, "token"), "4,567 tokens");
}

TEST(Human, DurationsHaveTwoUnits) {
  EXPECT_EQ(human_duration(0.4), "0 s");
  EXPECT_EQ(human_duration(59.6), "1 min 00 s");
  EXPECT_EQ(human_duration(187), "3 min 07 s");
  EXPECT_EQ(human_duration(7500), "2 h 05 min");
}

}  // namespace
}  // namespace zp
