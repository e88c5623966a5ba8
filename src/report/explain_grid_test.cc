#include "report/explain_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace {

AffineForm form(int bits, bool is_signed, Offset offset) {
  AffineForm f;
  f.bits = bits;
  f.is_signed = is_signed;
  f.offset = offset;
  return f;
}

GridQuestion over(AffineForm f, const char* range) {
  return {
      .form = f, .range = parse_interval(range, "`range`"), .clip = {}, .values = {}, .value = {}};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ExplainGrid, UnsignedFromZero) {
  GridQuestion question = over(form(8, false, Offset::zero), "0..1000");
  question.value = 250;
  const GridExplanation e = explain_grid(question);
  EXPECT_NEAR(e.grid.scale, 3.92157, 5e-6);
  EXPECT_EQ(e.grid.zero_point, 0);
  ASSERT_TRUE(e.value);
  EXPECT_EQ(e.value->code, 64);
  EXPECT_NEAR(e.value->decoded, 250.98, 5e-3);
  ASSERT_EQ(e.by_hand.size(), 2u);
  EXPECT_EQ(e.by_hand[0].scale, 3.92);
  EXPECT_EQ(e.by_hand[0].result.code, 64);
  EXPECT_NEAR(e.by_hand[0].result.decoded, 250.88, 1e-12);

  const std::string text = to_text(e);
  EXPECT_TRUE(contains(text, "1000 / 255 = 3.92157 (3.92) units per level\n")) << text;
  EXPECT_TRUE(contains(text, "250: q = round(250 / s) + z = round(63.75) + 0 = 64"));
  EXPECT_TRUE(contains(text, "250.98 on paper"));
  EXPECT_TRUE(contains(text, "by hand, with s rounded to 3.92 first: code 64, back to 250.88\n"));

  const Json json = to_json(e);
  EXPECT_EQ(json["grid"], "uint8");
  EXPECT_EQ(json["bits"], 8);
  EXPECT_EQ(json["code"], 64);
  EXPECT_EQ(json["value"], 250);
  EXPECT_NEAR(json["error"].get<double>(), 0.98039, 5e-6);
  EXPECT_EQ(json["zero_point"], 0);
  EXPECT_EQ(json["by_hand"][0]["scale"], 3.92);
}

TEST(ExplainGrid, UnsignedWithAZeroPoint) {
  GridQuestion question = over(form(8, false, Offset::zero), "-20..1000");
  question.values = {-20, 0, 1000};
  const GridExplanation e = explain_grid(question);
  EXPECT_EQ(e.grid.scale, 4);
  EXPECT_EQ(e.grid.zero_point, 5);
  const int codes[] = {0, 5, 255};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(e.grid.values[i].code, codes[i]);
    EXPECT_EQ(e.grid.values[i].error, 0);
  }
  EXPECT_TRUE(contains(to_text(e), "1020 / 255 = 4 units per level\n"));
  EXPECT_TRUE(contains(to_text(e), "z = round(qmin - lo / s) = round(5) = 5\n"));
  EXPECT_EQ(to_json(e)["values"][2]["code"], 255);
}

TEST(ExplainGrid, SymmetricInLevelsPerUnit) {
  const GridExplanation e = explain_grid(over(form(8, true, Offset::restricted), "-10.8..10.8"));
  EXPECT_NEAR(e.grid.levels_per_unit, 11.75926, 5e-6);
  EXPECT_EQ(e.grid.zero_point, 0);
  EXPECT_EQ(e.lowest, -127);
  EXPECT_TRUE(contains(to_text(e), "11.75926 (11.76 ")) << to_text(e);
  EXPECT_TRUE(contains(to_text(e), "s = 10.8 / 127 = "));
}

TEST(ExplainGrid, AsymmetricInLevelsPerUnit) {
  const GridExplanation e = explain_grid(over(form(8, true, Offset::zero), "-7.59..10.8"));
  EXPECT_NEAR(e.grid.levels_per_unit, 13.86623, 5e-6);
  EXPECT_EQ(e.grid.zero_point, -23);
  const std::string text = to_text(e);
  EXPECT_TRUE(contains(text, "13.86623 (13.87 rounded, 13.86 cut off) levels per unit\n")) << text;
  EXPECT_TRUE(contains(text, "= -23\n"));
  EXPECT_TRUE(contains(text, "units per level"));
}

TEST(ExplainGrid, SymmetricUsesTheFullSignedRange) {
  EXPECT_EQ(explain_grid(over(form(4, true, Offset::sym), "-8..2")).grid.scale, 1);
  EXPECT_EQ(explain_grid(over(form(4, true, Offset::sym), "-2..7")).grid.scale, 1);
  EXPECT_EQ(explain_grid(over(form(4, false, Offset::sym), "-2..7")).grid.zero_point, 8);
}

TEST(ExplainGrid, MinimumIsExact) {
  GridQuestion question = over(form(4, false, Offset::min), "-0.5..1");
  question.values = {-0.5, 0.31, 1};
  const GridExplanation e = explain_grid(question);
  EXPECT_EQ(e.grid.minimum, -0.5);
  EXPECT_NEAR(e.grid.scale, 0.1, 1e-15);
  EXPECT_EQ(e.grid.values[0].error, 0);
  EXPECT_EQ(e.grid.values[1].code, 8);
  EXPECT_EQ(e.grid.values[2].code, 15);
  EXPECT_TRUE(contains(to_text(e), "m = lo = -0.5\n"));
  EXPECT_FALSE(to_json(e).contains("zero_point"));
}

TEST(ExplainGrid, OneOutlierCoarsensTheOthersAndClippingCuresIt) {
  GridQuestion question{.form = form(4, true, Offset::sym),
                        .range = {},
                        .clip = parse_interval("-1..1", "`clip`"),
                        .values = {0.1, 0.2, -0.3, 80},
                        .value = {}};
  const GridExplanation e = explain_grid(question);
  ASSERT_TRUE(e.clipped);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(e.grid.values[i].decoded, 0);
    EXPECT_LE(std::fabs(e.clipped->values[i].error), e.clipped->scale / 2);
  }
  EXPECT_EQ(e.grid.values[3].error, 0);
  EXPECT_EQ(e.clipped->values[3].code, 7);
  EXPECT_NEAR(e.clipped->values[3].decoded, 1, 1e-12);
  EXPECT_TRUE(contains(to_text(e), "lie within 1 of 16 codes without clipping, 4 clipped;"))
      << to_text(e);
  EXPECT_EQ(to_json(e)["clipped"]["values"].size(), 4u);

  question.form = form(8, true, Offset::zero);
  EXPECT_TRUE(contains(to_text(explain_grid(question)), "lie within 3 of 256 codes"));
}

TEST(ExplainGrid, WidensTheRangeToHoldZero) {
  const GridExplanation e = explain_grid(over(form(8, false, Offset::zero), "5..10"));
  EXPECT_EQ(e.grid.range.lo, 0);
  EXPECT_TRUE(contains(to_text(e), "range 0...10, widened to hold 0\n"));
}

TEST(ExplainGrid, RefusesEmptyRanges) {
  GridQuestion question = over(form(8, false, Offset::zero), "0..1");
  question.range.reset();
  EXPECT_THROW(explain_grid(question), UsageError);
  question.values = {0, 0};
  EXPECT_THROW(explain_grid(question), UsageError);
  question.values = {-1.7e308, 1.7e308};
  EXPECT_THROW(explain_grid(question), UsageError);
  question.values = {0, INFINITY};
  EXPECT_THROW(explain_grid(question), UsageError);
  for (const char* wrong : {"", "1", "1..", "..1", "2..1", "1..1", "a..b", "0..inf", "0..1x"}) {
    EXPECT_THROW(parse_interval(wrong, "`range`"), UsageError) << wrong;
  }
  EXPECT_EQ(parse_interval("-7.59..10.8", "`range`").lo, -7.59);
  EXPECT_EQ(parse_interval("0..1000", "`range`").hi, 1000);
}

}  // namespace
}  // namespace zp
