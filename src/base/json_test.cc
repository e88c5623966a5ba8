#include "base/json.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/json_file.h"

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

TEST(Json, ListsOfNamedValuesAreObjectsAllOthersArrays) {
  EXPECT_EQ(Json({{"a", 1}, {"b", {2, "c"}}}).dump(), R"({"a":1,"b":[2,"c"]})");
  EXPECT_EQ(Json({{"a", 1}, {2, 3}}).dump(), R"([["a",1],[2,3]])");
  EXPECT_EQ(Json::array({{"a", "b"}}).dump(), R"([["a","b"]])");
  EXPECT_EQ(Json(std::vector<std::string>{"a", "b"}).dump(), R"(["a","b"])");
  EXPECT_EQ(Json::object().dump(), "{}");
  EXPECT_EQ(Json().dump(), "null");
}

TEST(Json, FieldsAreAddedReplacedAndErasedInOrder) {
  Json json;
  json["b"] = 1;
  json["a"]["c"] = 2;
  json["b"] = 3;
  json.update({{"d", 4}, {"b", 5}});
  EXPECT_EQ(json.dump(), R"({"b":5,"a":{"c":2},"d":4})");
  json.erase("a");
  EXPECT_EQ(json.dump(), R"({"b":5,"d":4})");
  EXPECT_EQ(json.value("d", 0.0), 4);
  EXPECT_EQ(json.value("e", "none"), "none");
  EXPECT_TRUE(std::as_const(json)["e"].is_null());
  EXPECT_THROW(json.at("e"), Error);
  EXPECT_FALSE(json.contains("e"));
}

TEST(Json, ElementsAreAddedAtBothEnds) {
  Json json;
  json.push_back(2);
  json.push_front("one");
  EXPECT_EQ(json, Json({"one", 2}));
  EXPECT_EQ(json.back(), 2);
  EXPECT_THROW(json[2], Error);
}

TEST(Json, RefusesAnotherTypeThanThatOfTheValue) {
  Json text = "1";
  EXPECT_THROW(text.get<double>(), Error);
  EXPECT_THROW(text.push_back(1), Error);
  EXPECT_THROW(text["a"], Error);
  EXPECT_THROW(text[0], Error);
  EXPECT_THROW(Json({{"a", "b"}}).value("a", 1.0), Error);
  EXPECT_THROW(Json(1.0).get<std::int64_t>(), Error);
  EXPECT_THROW(Json(1).get<bool>(), Error);
  EXPECT_TRUE(text.items().empty());
  EXPECT_EQ(text.begin(), text.end());
}

TEST(Json, NumbersAreEqualWhenTheirValuesAre) {
  EXPECT_EQ(Json(1), Json(1u));
  EXPECT_EQ(Json(1), Json(1.0));
  EXPECT_NE(Json(-1), Json(UINT64_MAX));
  EXPECT_NE(Json(1), Json(true));
  EXPECT_NE(Json(0), Json());
  EXPECT_NE(Json({{"a", 1}, {"b", 2}}), Json({{"b", 2}, {"a", 1}}));
}

TEST(Json, WritesNumbersSoThatTheyReadBack) {
  EXPECT_EQ(Json({0.1, 1.0, 1e-5, 1e300, 50u, -3}).dump(), "[0.1,1.0,1e-05,1e+300,50,-3]");
  EXPECT_EQ(Json(0.1f).dump(), "0.10000000149011612");
}

TEST(Json, WritesOneLineOrIndented) {
  const Json json = {{"a", {1, 2}}, {"b", Json::object()}};
  EXPECT_EQ(json.dump(1), "{\n \"a\": [\n  1,\n  2\n ],\n \"b\": {}\n}");
}

TEST(Json, WritesUtf8OrAsciiAndRefusesOrRepairsTheRest) {
  const Json text = "\xC3\xA4";
  EXPECT_EQ(text.dump(), "\"\xC3\xA4\"");
  EXPECT_EQ(text.dump_ascii(), "\"\\u00e4\"");
  const Json bytes = "a\xFF";
  EXPECT_THROW(bytes.dump(), Error);
  EXPECT_EQ(bytes.dump_repaired(), "\"a\xEF\xBF\xBD\"");
}

TEST(Json, InfinityThatPythonWroteIsReadOutsideTexts) {
  const std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) / "zeropoint-python.json";
  std::ofstream(path) << R"({"a": [0.0, Infinity], "b": "Infinity \" Infinity"})";
  const Json json = read_python_json(path);
  EXPECT_EQ(json["a"][1], Json({{"__float__", "Infinity"}}));
  EXPECT_EQ(json["b"].get<std::string>(), "Infinity \" Infinity");
  EXPECT_THROW(read_json(path), Error);
  std::ofstream(path) << R"({"a": -Infinity})";
  EXPECT_THROW(read_python_json(path), Error);
  std::filesystem::remove(path);
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
