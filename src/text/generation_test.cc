#include "text/generation.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace zp {
namespace {

using Ids = std::vector<std::int64_t>;

TEST(Generation, EndsAreTheTokenizersAndThoseThatAreStated) {
  Tokenizer tokenizer;
  tokenizer.eos = 7;
  EXPECT_EQ(generation_ends(&tokenizer, Json()), Ids{7});
  EXPECT_EQ(generation_ends(&tokenizer, {{"eos_token_id", {3, 7, 3}}}), (Ids{7, 3}));
  EXPECT_EQ(generation_ends(nullptr, {{"eos_token_id", 3}}), Ids{3});
  EXPECT_EQ(generation_ends(nullptr, {{"eos_token_id", nullptr}}), Ids());
}

TEST(Generation, IdsAreWrittenAsFarAsThereAreSuch) {
  Tokenizer tokenizer;
  EXPECT_EQ(token_ids_json(tokenizer, Json()), Json::object());
  tokenizer.bos = 1;
  tokenizer.eos = 2;
  tokenizer.pad = 0;
  EXPECT_EQ(token_ids_json(tokenizer, Json()),
            Json({{"bos_token_id", 1}, {"eos_token_id", 2}, {"pad_token_id", 0}}));
  EXPECT_EQ(token_ids_json(tokenizer, {{"eos_token_id", 5}})["eos_token_id"], Json({2, 5}));
}

}  // namespace
}  // namespace zp
