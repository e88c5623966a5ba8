#include "number/integer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/random.h"

namespace zp {
namespace {

TEST(Integer, RangesAreTwosComplement) {
  EXPECT_EQ((IntFormat{4, true}.lowest()), -8);
  EXPECT_EQ((IntFormat{4, true}.highest()), 7);
  EXPECT_EQ((IntFormat{8, false}.lowest()), 0);
  EXPECT_EQ((IntFormat{8, false}.highest()), 255);
  EXPECT_EQ((IntFormat{16, true}.lowest()), -32768);
  EXPECT_EQ((IntFormat{16, false}.highest()), 65535);
  EXPECT_EQ((IntFormat{4, true}.name()), "int4");
  EXPECT_EQ((IntFormat{16, false}.name()), "uint16");
}

TEST(Integer, RoundsHalfToEven) {
  static_assert(round_half_even(2.5f) == 2);
  static_assert(round_half_even(3.5) == 4);
  for (const double x : {0.0, 0.5, 1.5, 2.5, 0.49999999999999994, 1e15 + 0.5, 4503599627370495.5,
                         4503599627370497.0, 1e300, std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(round_half_even(x), std::nearbyint(x)) << x;
    EXPECT_EQ(round_half_even(-x), std::nearbyint(-x)) << x;
  }
  for (const float x : {0.5f, 1.5f, 0.49999997f, 8388607.5f, 8388609.0f, 4194304.5f, 1e30f}) {
    EXPECT_EQ(round_half_even(x), std::nearbyint(x)) << x;
    EXPECT_EQ(round_half_even(-x), std::nearbyint(-x)) << x;
  }
  EXPECT_TRUE(std::signbit(round_half_even(-0.3f)));
  EXPECT_TRUE(std::isnan(round_half_even(std::numeric_limits<float>::quiet_NaN())));
}

TEST(Integer, NearestIntClamps) {
  EXPECT_EQ(nearest_int(6.5f, -8, 7), 6);
  EXPECT_EQ(nearest_int(7.5f, -8, 7), 7);
  EXPECT_EQ(nearest_int(1e30f, -8, 7), 7);
  EXPECT_EQ(nearest_int(-1e30f, -8, 7), -8);
  EXPECT_EQ(nearest_int(-7.5f, -8, 7), -8);
  EXPECT_EQ(nearest_int(std::numeric_limits<float>::quiet_NaN(), -8, 7), -8);
}

TEST(Integer, PacksLowestBitFirst) {
  const std::int32_t nibbles[] = {1, -2, 7};
  std::byte out[2];
  pack_bits(nibbles, 4, out);
  EXPECT_EQ(out[0], std::byte{0xE1});
  EXPECT_EQ(out[1], std::byte{0x07});

  const std::int32_t threes[] = {1, 2, 3, 4, 5, 6, 7, 0};  // 0 111 110 1|01 100 011|010 001
  std::byte packed[3];
  pack_bits(threes, 3, packed);
  EXPECT_EQ(packed[0], std::byte{0xD1});
  EXPECT_EQ(packed[1], std::byte{0x58});
  EXPECT_EQ(packed[2], std::byte{0x1F});
}

// Bit by bit from the definition of the stream.
bool stream_bit(const std::vector<std::byte>& bytes, std::size_t i) {
  return ((static_cast<unsigned>(bytes[i / 8]) >> (i % 8)) & 1) != 0;
}

void packs_and_unpacks_every_width_and_count() {
  Random random(7);
  for (int width = 1; width <= 16; ++width) {
    for (std::size_t count = 0; count < 150; ++count) {
      std::vector<std::int32_t> codes(count);
      for (std::int32_t& c : codes) c = static_cast<std::int32_t>(random.below(1u << width));
      const auto bytes = static_cast<std::size_t>(packed_bytes(static_cast<int>(count), width));
      std::vector<std::byte> stream(bytes + 1, std::byte{0xA5});
      pack_bits(codes, width, stream.data());
      ASSERT_EQ(stream[bytes], std::byte{0xA5});
      const auto bits_each = static_cast<std::size_t>(width);
      for (std::size_t i = 0; i < bytes * 8; ++i) {
        const bool expected =
            i < count * bits_each && ((codes[i / bits_each] >> (i % bits_each)) & 1) != 0;
        ASSERT_EQ(stream_bit(stream, i), expected) << width << ' ' << count << ' ' << i;
      }

      std::vector<std::int32_t> back(count);
      unpack_bits(stream.data(), width, false, back);
      ASSERT_EQ(back, codes) << width << ' ' << count;
      unpack_bits(stream.data(), width, true, back);
      for (std::size_t i = 0; i < count; ++i) {
        const bool negative = codes[i] >= (1 << (width - 1));
        ASSERT_EQ(back[i], negative ? codes[i] - (1 << width) : codes[i]);
      }
      std::vector<std::byte> again(bytes + 1, std::byte{0xA5});
      pack_bits(back, width, again.data());
      ASSERT_EQ(again, stream);
    }
  }
}

TEST(Integer, PacksAndUnpacksEveryWidthAndCount) {
  const std::vector<std::string> all = instruction_sets();
  for (const std::string& name : all) {
    SCOPED_TRACE(name);
    limit_instruction_set(name);
    packs_and_unpacks_every_width_and_count();
  }
  limit_instruction_set(all.front());
}

}  // namespace
}  // namespace zp
