#include "format/gguf_sampling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace {

std::vector<gguf::Pair> pairs(const Json& config) { return sampling_pairs(config, "m"); }

TEST(GgufSampling, SaysWhatIsStated) {
  const std::vector<gguf::Pair> found = pairs({{"temperature", 0.6},
                                               {"top_k", 20},
                                               {"top_p", 0.95},
                                               {"min_p", 0},
                                               {"repetition_penalty", 1.05},
                                               {"do_sample", true},
                                               {"max_length", 9}});
  ASSERT_EQ(found.size(), 6U);
  EXPECT_EQ(found[0].key, "general.sampling.temp");
  EXPECT_EQ(std::get<float>(found[0].value), 0.6F);
  EXPECT_EQ(found[1].key, "general.sampling.top_k");
  EXPECT_EQ(std::get<std::int32_t>(found[1].value), 20);
  EXPECT_EQ(std::get<float>(found[2].value), 0.95F);
  EXPECT_EQ(std::get<float>(found[3].value), 0);
  EXPECT_EQ(found[4].key, "general.sampling.penalty_repeat");
  EXPECT_EQ(found[5].key, "general.sampling.penalty_last_n");
  EXPECT_EQ(std::get<std::int32_t>(found[5].value), -1);
  EXPECT_TRUE(has_sampling(found));
  EXPECT_TRUE(pairs({}).empty());
  EXPECT_TRUE(pairs({{"top_k", nullptr}, {"eos_token_id", 3}}).empty());
}

TEST(GgufSampling, IsReadAsItWasStated) {
  const Json config = {
      {"temperature", 0.6}, {"top_k", 20}, {"repetition_penalty", 1.05}, {"do_sample", true}};
  EXPECT_EQ(sampling_fields(pairs(config)), config);
  EXPECT_EQ(sampling_fields(pairs({{"top_k", -1}})), Json({{"top_k", 0}, {"do_sample", true}}));
  EXPECT_EQ(sampling_fields(pairs({{"temperature", 0}})), Json({{"do_sample", false}}));
  EXPECT_TRUE(sampling_fields({}).is_null());
}

TEST(GgufSampling, LeavesNonsenseOfFilesAside) {
  const std::vector<gguf::Pair> odd = {{"general.sampling.temp", -1.0F},
                                       {"general.sampling.top_k", std::string("20")},
                                       {"general.sampling.top_p", std::nanf("")},
                                       {"general.sampling.min_p", true}};
  EXPECT_TRUE(sampling_fields(odd).is_null());
  EXPECT_TRUE(has_sampling(odd));
}

TEST(GgufSampling, RefusesWhatIsNoNumberInItsRange) {
  for (const Json& config : {Json{{"temperature", -0.1}}, Json{{"top_k", 1.5}},
                             Json{{"top_k", 1e10}}, Json{{"top_p", 1.1}}, Json{{"min_p", "0"}},
                             Json{{"repetition_penalty", 0}}, Json{{"temperature", 1e39}}})
    EXPECT_THROW(pairs(config), Error) << config;
}

}  // namespace
}  // namespace zp
