#include "report/dtypes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/json.h"
#include "number/float_format.h"

namespace zp {
namespace {

DTypeRow row(const std::string& name) {
  for (const DTypeRow& r : dtype_rows()) {
    if (r.name == name) return r;
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(DTypes, ListsEveryFloatFormatAndTheIntegers) {
  const std::vector<DTypeRow> rows = dtype_rows();
  EXPECT_EQ(rows.size(), kFloatFormats.size() + 16);
  for (const FloatFormat* f : kFloatFormats) EXPECT_EQ(row(std::string(f->name)).bits, f->bits);
  for (const char* name : {"int2", "uint3", "int4", "int8", "uint8", "int16", "uint16"}) row(name);
  for (const DTypeRow& r : rows) EXPECT_FALSE(r.use.empty()) << r.name;
}

TEST(DTypes, StatesTheTextbookFigures) {
  EXPECT_EQ(row("fp16").highest, 65504);
  EXPECT_EQ(row("fp16").lowest, -65504);
  EXPECT_EQ(row("fp16").step_near_one, 0x1p-10);
  EXPECT_EQ(row("fp16").step_near_zero, 0x1p-24);
  EXPECT_EQ(row("fp32").highest, static_cast<double>(std::numeric_limits<float>::max()));
  EXPECT_NEAR(*row("fp32").decimal_digits, 7.22, 0.01);
  EXPECT_NEAR(*row("fp64").decimal_digits, 15.95, 0.01);
  EXPECT_EQ(row("fp8_e4m3").highest, 448);
  EXPECT_EQ(row("fp8_e5m2").highest, 57344);
  EXPECT_EQ(row("e8m0").lowest, 0x1p-127);
  EXPECT_EQ(row("int4").lowest, -8);
  EXPECT_EQ(row("int4").smaller_than_fp32, 87.5);
  EXPECT_EQ(row("fp64").smaller_than_fp32, -100);
  EXPECT_FALSE(row("int4").decimal_digits.has_value());
}

TEST(DTypes, PrintsALinePerRow) {
  const std::string text = to_text(dtype_rows());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'),
            static_cast<std::ptrdiff_t>(dtype_rows().size() + 1));
  for (const char* part : {"+-65,504", "87.5 % smaller", "-8...7", "0...65,535", "100 % larger"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

TEST(DTypes, GivesJsonTheKeysOfListings) {
  const Json json = to_json(dtype_rows());
  EXPECT_EQ(json.size(), dtype_rows().size());
  EXPECT_EQ(json[2]["name"], "fp16");
  EXPECT_EQ(json[2]["family"], "float");
  EXPECT_EQ(json[2]["bits_per_weight"], 16);
  EXPECT_EQ(json[2]["highest"], 65504);
}

}  // namespace
}  // namespace zp
