#include "report/decimal.h"

#include <gtest/gtest.h>

#include <cmath>

namespace zp {
namespace {

TEST(Decimal, ShowsAllDigitsWhereTheyAreFew) {
  EXPECT_EQ(stored_decimal(kFp16, 7.32421875), "7.32421875");
  EXPECT_EQ(stored_decimal(kFp32, static_cast<double>(7.325f)), "7.32499981");
  EXPECT_EQ(stored_decimal(kFp64, 0.1), "0.10000000000000001");
}

TEST(Decimal, ShortestReadsBackAsTheCode) {
  EXPECT_EQ(shortest_decimal(kFp32, encode(kFp32, 7.325)), "7.325");
  EXPECT_EQ(shortest_decimal(kFp16, encode(kFp16, 7.325)), "7.324");
  EXPECT_EQ(shortest_decimal(kFp8E4m3, 0x7E), "450");
  EXPECT_EQ(shortest_decimal(kFp16, 0xFC00), "-infinity");
  EXPECT_EQ(shortest_decimal(kFp16, 0x7E00), "NaN");
  for (std::uint64_t code = 0; code < 0x7C00; ++code) {
    ASSERT_EQ(encode(kFp16, std::stod(shortest_decimal(kFp16, code))), code);
  }
}

TEST(Decimal, GroupsThousands) {
  EXPECT_EQ(grouped(65504), "65,504");
  EXPECT_EQ(grouped(-32768), "-32,768");
  EXPECT_EQ(grouped(448), "448");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(1038682112), "1,038,682,112");
  EXPECT_EQ(grouped(3.4028234663852886e38), "3.40282e+38");
}

TEST(Decimal, WritesBits) { EXPECT_EQ(binary(4, 5), "00100"); }

}  // namespace
}  // namespace zp
