#include "report/explain_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace {

const Json& in_format(const Json& json, const std::string& name) {
  for (const Json& f : json["formats"]) {
    if (f["format"] == name) return f;
  }
  throw Error("test", "format missing", name);
}

NumberExplanation in_one(double value, const FloatFormat& format) {
  const FloatFormat* const one = &format;
  return explain_number(value, std::span(&one, 1));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ExplainNumber, TakesTheTextbookNumberApart) {
  const NumberExplanation e = explain_number(7.325, explained_formats());
  const Json json = to_json(e);
  EXPECT_EQ(json["significand"], 1.83125);
  EXPECT_EQ(json["exponent"], 2);
  EXPECT_EQ(json["formats"].size(), 6u);

  const Json& fp16 = in_format(json, "fp16");
  EXPECT_EQ(fp16["value"], 7.32421875);
  EXPECT_EQ(fp16["bits"], "0100011101010011");
  EXPECT_EQ(fp16["sign"]["bits"], "0");
  EXPECT_EQ(fp16["exponent"]["bits"], "10001");
  EXPECT_EQ(fp16["exponent"]["power"], 2);
  EXPECT_EQ(fp16["fraction"]["bits"], "1101010011");
  EXPECT_NEAR(fp16["error"].get<double>(), -0.00078125, 1e-15);
  EXPECT_NEAR(fp16["relative_error"].get<double>(), -0.00078125 / 7.325, 1e-15);
  EXPECT_EQ(fp16["below"], 7.3203125);
  EXPECT_EQ(fp16["above"], 7.328125);
  EXPECT_EQ(fp16["spacing"]["near_one"], 0x1p-10);
  EXPECT_EQ(fp16["spacing"]["here"], 0x1p-8);
  EXPECT_EQ(fp16["spacing"]["near_zero"], 0x1p-24);
  EXPECT_EQ(fp16["spacing"]["near_largest"], 32);

  EXPECT_EQ(in_format(json, "fp32")["decimal"], "7.32499981");
  EXPECT_EQ(in_format(json, "fp32")["shortest"], "7.325");
  EXPECT_EQ(in_format(json, "bf16")["value"], 7.3125);
  EXPECT_EQ(in_format(json, "fp8_e4m3")["value"], 7.5);
  EXPECT_EQ(in_format(json, "fp8_e5m2")["value"], 7);
  EXPECT_EQ(in_format(json, "fp4_e2m1")["value"], 6);

  const std::string text = to_text(e);
  EXPECT_TRUE(contains(text, "7.325 = 1.83125 x 2^2\n")) << text;
  EXPECT_TRUE(contains(text, "1.83124995 x 2^2 = 7.32499981\n"));
  EXPECT_TRUE(contains(text, "1.8310546875 x 2^2 = 7.32421875\n"));
  EXPECT_TRUE(contains(text, "0 10001 1101010011  (0x4753)"));
  EXPECT_TRUE(contains(text, "error     -0.00078125, relative 0.000106655\n"));
}

TEST(ExplainNumber, DecodesBitsStepByStep) {
  const NumberExplanation e = explain_code(parse_code("0b0001000000000000", kFp16), kFp16);
  const std::string text = to_text(e);
  EXPECT_TRUE(contains(text, "exponent  00100       = 4, 2^(4-15) = 2^-11\n")) << text;
  EXPECT_TRUE(contains(text, "fraction  0000000000  = 0, 1 + 0/1024 = 1\n"));
  EXPECT_TRUE(contains(text, "1 x 2^-11 = 0.00048828125\n"));
  EXPECT_FALSE(contains(text, "error"));
  const Json json = to_json(e);
  EXPECT_EQ(json["formats"][0]["value"], 0.00048828125);
  EXPECT_EQ(json["formats"][0]["exponent"]["power"], -11);
  EXPECT_FALSE(json.contains("value"));
}

TEST(ExplainNumber, ExplainsSubnormals) {
  const std::string text = to_text(explain_code(0x8003, kFp16));
  EXPECT_TRUE(contains(text, "subnormal: 2^(1-15) = 2^-14")) << text;
  EXPECT_TRUE(contains(text, "0 + 3/1024 = 0.0029296875"));
  EXPECT_TRUE(contains(text, "-0.0029296875 x 2^-14 = -1.78813934e-07"));
}

TEST(ExplainNumber, NamesWhatDoesNotFit) {
  EXPECT_TRUE(contains(to_text(in_one(1000, kFp8E4m3)), "largest value, 448: saturates"));
  EXPECT_TRUE(contains(to_text(in_one(70000, kFp16)), "largest value, 65,504: becomes infinity"));
  EXPECT_TRUE(contains(to_text(in_one(1e-9, kFp16)), "becomes 0"));
  EXPECT_TRUE(contains(to_text(in_one(-1, kE8m0)), "no negative values"));
  EXPECT_TRUE(contains(to_text(in_one(0, kE8m0)), "no zero"));
  EXPECT_TRUE(contains(to_text(in_one(NAN, kFp4E2m1)), "no NaN"));
  EXPECT_TRUE(contains(to_text(in_one(NAN, kFp16)), "= 512, NaN"));
  EXPECT_TRUE(contains(to_text(in_one(0.5, kFp4E2m1)), "the value is exact"));
}

TEST(ExplainNumber, FindsNeighboursAtTheEnds) {
  const auto of = [](std::uint64_t code, const FloatFormat& f) {
    return explain_code(code, f).stored[0];
  };
  EXPECT_EQ(of(0, kFp16).above, 0x1p-24);
  EXPECT_EQ(of(0, kFp16).below, -0x1p-24);
  EXPECT_EQ(of(0x8001, kFp16).above, 0);
  EXPECT_FALSE(std::signbit(of(0x8001, kFp16).above));
  EXPECT_EQ(of(0x7BFF, kFp16).above, std::numeric_limits<double>::infinity());
  EXPECT_EQ(of(0xFBFF, kFp16).below, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(of(0x7E, kFp8E4m3).above));
  EXPECT_EQ(of(0xFE, kFp8E4m3).above, -416);
  EXPECT_TRUE(std::isnan(of(0, kE8m0).below));
}

TEST(ExplainNumber, ReadsCodes) {
  EXPECT_EQ(parse_code("0x4753", kFp16), 0x4753u);
  EXPECT_EQ(parse_code("126", kFp8E4m3), 126u);
  EXPECT_EQ(parse_code("0xffffffffffffffff", kFp64), ~std::uint64_t{0});
  for (const char* wrong :
       {"", "0b", "0b2", "0x1G", "-1", "0x10000", "1.5", "0b10000000000000000"}) {
    EXPECT_THROW(parse_code(wrong, kFp16), UsageError) << wrong;
  }
  EXPECT_EQ(&explained_format("fp8_e5m2"), &kFp8E5m2);
  EXPECT_THROW(explained_format("fp7"), UsageError);
}

}  // namespace
}  // namespace zp
