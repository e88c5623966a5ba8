#include "source/gguf_vocabulary.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace zp {
namespace {

const gguf::Pair kTexts = {"tokenizer.ggml.tokens",
                           gguf::Strings{"<s>", "</s>", "<end_of_turn>", "a"}};

gguf::Pair id(const char* name, std::uint32_t value) {
  return {std::string("tokenizer.ggml.") + name, value};
}

Json ends(const std::vector<gguf::Pair>& pairs) { return read_gguf_generation(pairs, "file"); }

TEST(GgufGeneration, EndsAreEotAndEom) {
  EXPECT_EQ(ends({id("eot_token_id", 3), id("eom_token_id", 0)}), Json({{"eos_token_id", {3, 0}}}));
  EXPECT_TRUE(ends({}).is_null());
  EXPECT_TRUE(ends({id("eot_token_id", 0xFFFFFFFF)}).is_null());
}

TEST(GgufGeneration, ATurnsEndIsFoundByItsTextWhereNoKeyNamesIt) {
  EXPECT_EQ(ends({kTexts, id("eos_token_id", 1)}), Json({{"eos_token_id", {2}}}));
  EXPECT_EQ(ends({kTexts, id("eot_token_id", 3)}), Json({{"eos_token_id", {3}}}));
  EXPECT_TRUE(ends({kTexts, id("eos_token_id", 2)}).is_null());
}

TEST(GgufGeneration, KeysOfSamplingAreFields) {
  EXPECT_EQ(ends({id("eot_token_id", 3), {"general.sampling.top_k", std::int32_t{20}}}),
            Json({{"top_k", 20}, {"do_sample", true}, {"eos_token_id", {3}}}));
}

}  // namespace
}  // namespace zp
