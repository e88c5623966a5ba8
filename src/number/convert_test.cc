#include "number/convert.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "number/fp8.h"
#include "number/half.h"

namespace zp {
namespace {

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

// What the reference says, as FP32 bits. Every format here is exact in FP32 but FP64.
std::uint32_t reference(const FloatFormat& f, std::uint64_t code) {
  return bits(static_cast<float>(decode(f, code)));
}

// Every stored value, two bytes or one each; FP4's codes stand one in a byte.
std::vector<std::byte> all_codes(const FloatFormat& f) {
  std::vector<std::byte> bytes;
  for (unsigned c = 0; c < (1u << f.bits); ++c) {
    bytes.push_back(static_cast<std::byte>(c & 0xFF));
    if (f.bits == 16) bytes.push_back(static_cast<std::byte>(c >> 8));
  }
  return bytes;
}

// Floats around everything that matters: all exponents with fractions near ties of every format.
std::vector<float> awkward_floats() {
  std::vector<float> all;
  std::vector<std::uint32_t> fractions = {0, 1, 0x7FFFFF, 0x400000, 0x2AAAAA, 0x155555};
  for (int bit = 0; bit < 23; ++bit) {
    for (const std::uint32_t above : {0u, 1u, 2u, 3u}) {
      const std::uint32_t half = (1u << bit) | (above << (bit + 1));
      for (const std::uint32_t f : {half - 1, half, half + 1}) fractions.push_back(f & 0x7FFFFF);
    }
  }
  for (std::uint32_t top = 0; top < 512; ++top) {
    for (const std::uint32_t f : fractions) all.push_back(std::bit_cast<float>(top << 23 | f));
  }
  return all;
}

void on_each_instruction_set(const std::function<void(const char*)>& check) {
  int sets = 0;
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    check(hwy::TargetName(left & -left));
    hwy::SetSupportedTargetsForTest(0);
    ++sets;
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  EXPECT_GE(sets, 1);
}

const FloatFormat* const kVectorFormats[] = {&kFp16, &kBf16, &kFp8E4m3, &kFp8E5m2};

TEST(Half, DecodesAllCodes) {
  for (unsigned c = 0; c < 0x10000; ++c) {
    const auto code = static_cast<std::uint16_t>(c);
    ASSERT_EQ(bits(fp16_to_float(code)), reference(kFp16, c)) << c;
    ASSERT_EQ(bits(bf16_to_float(code)), reference(kBf16, c)) << c;
  }
}

TEST(Half, EncodesAllCodesBack) {
  for (unsigned c = 0; c < 0x10000; ++c) {
    const auto code = static_cast<std::uint16_t>(c);
    ASSERT_EQ(float_to_fp16(fp16_to_float(code)), kFp16.is_nan(c) ? code | 0x0200 : code);
    ASSERT_EQ(float_to_bf16(bf16_to_float(code)), kBf16.is_nan(c) ? code | 0x0040 : code);
  }
}

TEST(Half, IsConstant) {
  static_assert(float_to_fp16(7.325f) == 0x4753);
  static_assert(fp16_to_float(0x0001) == 0x1p-24f);
  static_assert(float_to_bf16(1e-40f) == 0x0001);
}

TEST(SmallFloats, EncodeAsTheReference) {
  for (const float x : awkward_floats()) {
    const double value = static_cast<double>(x);
    if (std::isnan(x) && (bits(x) & kFp32Quiet) == 0) continue;  // a double would quiet it first
    ASSERT_EQ(float_to_fp16(x), encode(kFp16, value)) << x;
    ASSERT_EQ(float_to_bf16(x), encode(kBf16, value)) << x;
    ASSERT_EQ(float_to_fp8_e4m3(x), encode(kFp8E4m3, value)) << x;
    ASSERT_EQ(float_to_fp8_e5m2(x), encode(kFp8E5m2, value)) << x;
    ASSERT_EQ(float_to_fp4_e2m1(x), encode(kFp4E2m1, value)) << x;
    ASSERT_EQ(float_to_e8m0(x), encode(kE8m0, value)) << x;
  }
}

TEST(SmallFloats, TurnSignallingNanQuiet) {
  const float signalling = std::bit_cast<float>(0xFF800001u);
  EXPECT_EQ(float_to_fp16(signalling), 0xFE00);
  EXPECT_EQ(float_to_bf16(signalling), 0xFFC0);
  EXPECT_EQ(float_to_fp8_e5m2(signalling), 0xFE);
  EXPECT_EQ(float_to_e8m0(signalling), 0xFF);
}

TEST(SmallFloats, DecodeAllCodesOfEightBitsAndFewer) {
  for (unsigned c = 0; c < 256; ++c) {
    const auto code = static_cast<std::uint8_t>(c);
    ASSERT_EQ(bits(fp8_e4m3_to_float(code)), reference(kFp8E4m3, c)) << c;
    ASSERT_EQ(bits(fp8_e5m2_to_float(code)), reference(kFp8E5m2, c)) << c;
    ASSERT_EQ(bits(fp4_e2m1_to_float(code)), reference(kFp4E2m1, c)) << c;
    ASSERT_EQ(bits(e8m0_to_float(code)), reference(kE8m0, c)) << c;
  }
}

TEST(Convert, DecodesAllCodesOnEachInstructionSet) {
  on_each_instruction_set([](const char* set) {
    for (const FloatFormat* f : kVectorFormats) {
      const std::vector<std::byte> in = all_codes(*f);
      std::vector<float> out(std::size_t{1} << f->bits);
      converter(*f).to_float(in.data(), out);
      for (std::size_t c = 0; c < out.size(); ++c) {
        ASSERT_EQ(bits(out[c]), reference(*f, c)) << set << ' ' << f->name << ' ' << c;
      }
    }
  });
}

TEST(Convert, EncodesAsTheReferenceOnEachInstructionSet) {
  const std::vector<float> in = awkward_floats();
  on_each_instruction_set([&](const char* set) {
    for (const FloatFormat* f : kVectorFormats) {
      std::vector<std::byte> out(converter(*f).packed_bytes(in.size()));
      converter(*f).from_float(in, out.data());
      const std::size_t width = out.size() / in.size();
      for (std::size_t i = 0; i < in.size(); ++i) {
        std::uint64_t code = 0;
        std::memcpy(&code, out.data() + i * width, width);
        ASSERT_EQ(code, encode(*f, static_cast<double>(in[i])))
            << set << ' ' << f->name << ' ' << in[i];
      }
    }
  });
}

// Odd addresses, and lengths around the vector's: nothing outside is touched.
TEST(Convert, TakesAnyAlignmentAndLength) {
  on_each_instruction_set([](const char* set) {
    for (const FloatFormat* f : kFloatFormats) {
      const Converter& c = converter(*f);
      for (std::size_t count = 0; count < 70; ++count) {
        std::vector<float> in(count);
        for (std::size_t i = 0; i < count; ++i) in[i] = std::ldexp(1.0f, static_cast<int>(i % 3));
        const std::size_t stored = c.packed_bytes(count);
        std::vector<std::byte> bytes(stored + 3, std::byte{0xA5});
        c.from_float(in, bytes.data() + 1);
        ASSERT_EQ(bytes[0], std::byte{0xA5});
        ASSERT_EQ(bytes[stored + 1], std::byte{0xA5}) << set << ' ' << f->name << ' ' << count;
        std::vector<float> out(count + 1, -7.0f);
        c.to_float(bytes.data() + 1, std::span(out).first(count));
        ASSERT_EQ(out[count], -7.0f);
        out.pop_back();
        ASSERT_EQ(out, in) << set << ' ' << f->name << ' ' << count;
      }
    }
  });
}

TEST(Convert, PacksFp4LowBitsFirst) {
  const float in[] = {1, -6, 0.5};
  std::byte out[2];
  float_to_fp4_e2m1(in, out);
  EXPECT_EQ(out[0], std::byte{0xF2});
  EXPECT_EQ(out[1], std::byte{0x01});
}

TEST(Convert, RoundsFp64ToFp32) {
  const double in[] = {1 + 0x1p-24, 1 + 0x1.8p-24, 1e300};
  float out[3];
  fp64_to_float(reinterpret_cast<const std::byte*>(in), out);
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_EQ(out[1], 1 + 0x1p-23f);
  EXPECT_EQ(out[2], INFINITY);
}

}  // namespace
}  // namespace zp
