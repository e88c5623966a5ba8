#include "number/float_format.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>

namespace zp {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Values by their definition, field by field.
double by_definition(int exponent_bits, int fraction_bits, int bias, unsigned code) {
  const unsigned f = code % (1u << fraction_bits);
  const unsigned e = (code >> fraction_bits) % (1u << exponent_bits);
  const double sign = (code >> (exponent_bits + fraction_bits)) != 0 ? -1.0 : 1.0;
  const double fraction = f / std::pow(2.0, fraction_bits);
  if (e == 0) return sign * std::pow(2.0, 1 - bias) * fraction;
  return sign * std::pow(2.0, static_cast<int>(e) - bias) * (1 + fraction);
}

TEST(FloatFormat, FieldsFillTheWidth) {
  for (const FloatFormat* f : kFloatFormats) {
    EXPECT_EQ(f->bits, f->exponent_bits + f->fraction_bits + (f->is_signed ? 1 : 0)) << f->name;
    EXPECT_EQ(find_float_format(f->name), f);
  }
  EXPECT_EQ(find_float_format("fp7"), nullptr);
}

TEST(FloatFormat, DecodesEveryCodeOfFp8E4m3) {
  for (unsigned c = 0; c < 256; ++c) {
    if ((c & 0x7F) == 0x7F) {
      EXPECT_TRUE(std::isnan(decode(kFp8E4m3, c)));
    } else {
      EXPECT_EQ(decode(kFp8E4m3, c), by_definition(4, 3, 7, c)) << c;
    }
  }
  EXPECT_EQ(decode(kFp8E4m3, 0x7E), 448);
  EXPECT_EQ(decode(kFp8E4m3, 0x01), 0x1p-9);
}

TEST(FloatFormat, DecodesEveryCodeOfFp8E5m2) {
  for (unsigned c = 0; c < 256; ++c) {
    if ((c & 0x7F) == 0x7C) {
      EXPECT_EQ(decode(kFp8E5m2, c), c > 0x7F ? -kInf : kInf);
    } else if ((c & 0x7F) > 0x7C) {
      EXPECT_TRUE(std::isnan(decode(kFp8E5m2, c)));
    } else {
      EXPECT_EQ(decode(kFp8E5m2, c), by_definition(5, 2, 15, c)) << c;
    }
  }
  EXPECT_EQ(decode(kFp8E5m2, 0x7B), 57344);
}

TEST(FloatFormat, DecodesEveryCodeOfFp4) {
  const double values[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  for (unsigned c = 0; c < 16; ++c) {
    EXPECT_EQ(decode(kFp4E2m1, c), c < 8 ? values[c] : -values[c - 8]);
  }
  EXPECT_TRUE(std::signbit(decode(kFp4E2m1, 8)));
}

TEST(FloatFormat, DecodesEveryCodeOfE8m0) {
  for (unsigned c = 0; c < 255; ++c) {
    EXPECT_EQ(decode(kE8m0, c), std::pow(2.0, static_cast<int>(c) - 127));
  }
  EXPECT_TRUE(std::isnan(decode(kE8m0, 255)));
}

TEST(FloatFormat, AgreesWithTheProcessorOnFp32AndFp64) {
  for (unsigned exponent = 0; exponent < 256; ++exponent) {
    for (const std::uint32_t fraction : {0u, 1u, 0x2AAAAAu, 0x400000u, 0x7FFFFFu}) {
      const std::uint32_t code = exponent << 23 | fraction;
      const double value = static_cast<double>(std::bit_cast<float>(code));
      if (std::isnan(value)) continue;
      EXPECT_EQ(decode(kFp32, code), value);
      EXPECT_EQ(encode(kFp32, -value), code | 0x80000000u);
      EXPECT_EQ(decode(kFp64, std::bit_cast<std::uint64_t>(value)), value);
      EXPECT_EQ(encode(kFp64, value), std::bit_cast<std::uint64_t>(value));
      for (const double scale : {1 + 0x1p-24, 1 + 0x1.8p-24, 1 - 0x1p-30}) {
        const double off = value * scale;
        EXPECT_EQ(encode(kFp32, off), std::bit_cast<std::uint32_t>(static_cast<float>(off)));
      }
    }
  }
  for (const double tiny : {5e-324, 1e-310, 2.2250738585072014e-308}) {
    EXPECT_EQ(encode(kFp64, tiny), std::bit_cast<std::uint64_t>(tiny));
    EXPECT_EQ(decode(kFp64, std::bit_cast<std::uint64_t>(tiny)), tiny);
  }
}

// Every code comes back, and between neighbours the nearer wins and the middle goes to the even.
TEST(FloatFormat, EncodesToTheNearestTiesToEven) {
  for (const FloatFormat* format : kFloatFormats) {
    const FloatFormat& f = *format;
    if (f.bits > 16) continue;
    for (std::uint64_t c = 0; c < f.max_code(); ++c) {
      const double low = decode(f, c);
      const double high = decode(f, c + 1);
      ASSERT_LT(low, high);
      const double middle = (low + high) / 2;
      const std::uint64_t even = (c & 1) == 0 ? c : c + 1;
      ASSERT_EQ(encode(f, low), c) << f.name;
      ASSERT_EQ(encode(f, middle), even) << f.name << ' ' << middle;
      ASSERT_EQ(encode(f, std::nextafter(middle, 0)), c) << f.name << ' ' << middle;
      ASSERT_EQ(encode(f, std::nextafter(middle, kInf)), c + 1) << f.name << ' ' << middle;
      if (!f.is_signed) continue;
      ASSERT_EQ(encode(f, -middle), even | f.sign_bit());
    }
    ASSERT_EQ(encode(f, decode(f, f.max_code())), f.max_code());
  }
}

// 1 + 2^-11 + 2^-40: FP32 would drop the last bit and make a tie of it.
TEST(FloatFormat, RoundsOnce) { EXPECT_EQ(encode(kFp16, 1 + 0x1p-11 + 0x1p-40), 0x3C01u); }

TEST(FloatFormat, OverflowsToInfinityWhereThereIsOne) {
  EXPECT_EQ(encode(kFp16, 65504), 0x7BFFu);
  EXPECT_EQ(encode(kFp16, 65519.99), 0x7BFFu);
  EXPECT_EQ(encode(kFp16, 65520), 0x7C00u);
  EXPECT_EQ(encode(kBf16, -1e39), 0xFF80u);
  EXPECT_EQ(encode(kFp32, 1e300), 0x7F800000u);
  EXPECT_EQ(encode(kFp8E5m2, 61439.9), 0x7Bu);
  EXPECT_EQ(encode(kFp8E5m2, 61440), 0x7Cu);
  EXPECT_EQ(encode(kFp8E5m2, -kInf), 0xFCu);
}

TEST(FloatFormat, SaturatesWhereThereIsNoInfinity) {
  EXPECT_EQ(encode(kFp8E4m3, 1e9), 0x7Eu);
  EXPECT_EQ(encode(kFp8E4m3, 480), 0x7Eu);
  EXPECT_EQ(encode(kFp8E4m3, -kInf), 0xFEu);
  EXPECT_EQ(encode(kFp4E2m1, 7), 0x7u);
  EXPECT_EQ(encode(kFp4E2m1, -kInf), 0xFu);
  EXPECT_EQ(encode(kE8m0, 1e300), 0xFEu);
  EXPECT_EQ(encode(kE8m0, kInf), 0xFEu);
}

TEST(FloatFormat, KeepsNanAsQuietNan) {
  EXPECT_EQ(encode(kFp16, kNan), 0x7E00u);
  EXPECT_EQ(encode(kBf16, -kNan), 0xFFC0u);
  EXPECT_EQ(encode(kFp8E4m3, kNan), 0x7Fu);
  EXPECT_EQ(encode(kFp8E5m2, kNan), 0x7Eu);
  EXPECT_EQ(encode(kFp4E2m1, kNan), 0x7u);  // has none
  EXPECT_EQ(encode(kE8m0, kNan), 0xFFu);
  // A signalling NaN whose payload lies below FP16's bits must not become infinity.
  EXPECT_EQ(encode(kFp16, std::bit_cast<double>(0x7FF0000000000001u)), 0x7E00u);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(decode(kFp16, 0xFC01)), 0xFFF8040000000000u);
}

TEST(FloatFormat, KeepsTheSignOfZero) {
  EXPECT_EQ(encode(kFp16, -0.0), 0x8000u);
  EXPECT_EQ(encode(kFp4E2m1, -0.2), 0x8u);
  EXPECT_EQ(encode(kBf16, -1e-300), 0x8000u);
}

TEST(FloatFormat, E8m0HasNeitherZeroNorSign) {
  EXPECT_EQ(encode(kE8m0, 0.0), 0u);
  EXPECT_EQ(encode(kE8m0, -0.0), 0u);
  EXPECT_EQ(encode(kE8m0, 1e-300), 0u);
  EXPECT_EQ(encode(kE8m0, -1.0), 0xFFu);
  EXPECT_EQ(encode(kE8m0, 3.0), 128u);  // 2 and 4 are equally near; 128 is even
  EXPECT_EQ(encode(kE8m0, 6.0), 130u);
}

}  // namespace
}  // namespace zp
