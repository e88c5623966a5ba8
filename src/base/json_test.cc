#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace zp {
namespace {

std::string refusal(std::string_view text) {
  try {
    parse_json(text, "x.json");
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Json, KeepsTheOrderOfKeysAndAllValues) {
  const std::string text = R"({"b":[1,-2,2.5,true,null],"a":{"c":"d","A":[]}})";
  EXPECT_EQ(parse_json(text, "x.json").dump(), text);
  EXPECT_EQ(parse_json("17", "x.json"), 17);
}

TEST(Json, RefusesWhatIsNoJsonNamingTheByte) {
  EXPECT_EQ(refusal(""), "x.json: no valid JSON at byte 1: found \"\"");
  EXPECT_EQ(refusal("[1,]"), "x.json: no valid JSON at byte 4: found \"1,]\"");
  EXPECT_EQ(refusal("[1] 2"), "x.json: no valid JSON at byte 5: found \"2\"");
  EXPECT_EQ(refusal("{\"a\": 1e999}").substr(0, 35), "x.json: no valid JSON at byte 11: f");
}

TEST(Json, RefusesAZeroByteAndWhatHidesBehindIt) {
  EXPECT_EQ(refusal(std::string_view("{}\0{}", 5)),
            "x.json: no valid JSON at byte 3: found a zero byte");
}

TEST(Json, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(refusal(R"({"a":1,"b":{"a":2},"a":3})"), "x.json: key stands twice: found \"a\"");
}

TEST(Json, RefusesDeepNesting) {
  const std::string deep(128, '[');
  EXPECT_EQ(refusal(deep + std::string(128, ']')), "accepted");
  EXPECT_EQ(refusal(deep + "[" + std::string(129, ']')),
            "x.json: JSON nested too deeply: expected at most 128 levels");
}

TEST(JsonFields, SaysWhichFieldIsWrong) {
  const Json object = parse_json(R"({"a":"x","b":1.5,"c":18446744073709551615})", "x.json");
  const JsonFields fields(object, "x.json");
  EXPECT_EQ(fields.text("a"), "x");
  EXPECT_EQ(fields.integer("missing", 7), 7);
  EXPECT_THROW(fields.integer("a"), Error);
  EXPECT_THROW(fields.integer("b"), Error);
  EXPECT_THROW(fields.integer("c"), Error);
  EXPECT_THROW(fields.at("d"), Error);
}

}  // namespace
}  // namespace zp
