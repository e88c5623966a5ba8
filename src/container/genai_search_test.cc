#include "container/genai_search.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace {

Json search(const Json& config) { return genai_search(config, 300, 128, "m"); }

std::string error_of(const Json& config) {
  try {
    search(config);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(GenAiSearch, TakesWhatIsStated) {
  const Json found = search({{"do_sample", true},
                             {"top_k", 40},
                             {"top_p", 0.9},
                             {"temperature", 0},
                             {"repetition_penalty", 1.1},
                             {"max_new_tokens", 9},
                             {"min_p", 0.1}});
  EXPECT_EQ(found["do_sample"], true);
  EXPECT_EQ(found["top_k"], 40);
  EXPECT_EQ(found["top_p"], 0.9);
  EXPECT_EQ(found["temperature"], 0);
  EXPECT_EQ(found["repetition_penalty"], 1.1);
  EXPECT_EQ(found["max_length"], 128);
  EXPECT_FALSE(found.contains("max_new_tokens") || found.contains("min_p"));
}

TEST(GenAiSearch, TakesLengthsAndBeams) {
  const Json found = search({{"num_beams", 4}, {"min_length", 5}, {"max_length", 64}});
  EXPECT_EQ(found["num_beams"], 4);
  EXPECT_EQ(found["min_length"], 5);
  EXPECT_EQ(found["max_length"], 64);
  EXPECT_EQ(search({{"max_length", 4096}})["max_length"], 128);
  EXPECT_EQ(search({{"num_beams", 0}, {"min_length", -1}}), search({}));
  EXPECT_EQ(search({{"num_beams", 4}, {"do_sample", true}})["num_beams"], 1);
}

TEST(GenAiSearch, MendsWhatHasOneMeaning) {
  EXPECT_EQ(search({{"top_k", -1}})["top_k"], 0);
  EXPECT_EQ(search({{"top_k", 301}})["top_k"], 0);
  EXPECT_EQ(search({{"top_k", 300}})["top_k"], 300);
  EXPECT_EQ(search({{"top_k", 50.0}})["top_k"].dump(), "50");
  EXPECT_EQ(search({{"top_p", 1.5}})["top_p"], 1.0);
  EXPECT_EQ(search({{"do_sample", 1}})["do_sample"].dump(), "true");
  EXPECT_EQ(search({{"do_sample", 0}})["do_sample"].dump(), "false");
  EXPECT_EQ(search({{"top_k", nullptr}, {"temperature", nullptr}}), search({}));
  EXPECT_EQ(genai_search({}, 20, 8, "m")["top_k"], 0);
}

TEST(GenAiSearch, RefusesTheOthersByTheirField) {
  EXPECT_EQ(error_of({{"top_k", -2}}),
            "m: generation_config.json: \"top_k\": not what onnxruntime-genai takes: expected a "
            "whole number from -1, found -2");
  for (const Json& config :
       {Json{{"top_k", 50.5}}, Json{{"top_k", "50"}}, Json{{"top_k", {50}}}, Json{{"top_p", -0.1}},
        Json{{"temperature", -1}}, Json{{"temperature", true}}, Json{{"repetition_penalty", 0}},
        Json{{"num_beams", 33}}, Json{{"num_beams", 1.5}}, Json{{"min_length", 0.5}},
        Json{{"max_length", 0}}, Json{{"max_length", 2.5}}, Json{{"do_sample", 2}},
        Json{{"do_sample", "true"}}}) {
    const std::string error = error_of(config);
    EXPECT_NE(error.find("\"" + config.items().front().first + "\""), std::string::npos) << config;
  }
}

}  // namespace
}  // namespace zp
