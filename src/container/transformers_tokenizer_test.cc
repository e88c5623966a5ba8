#include "container/transformers_tokenizer.h"

#include <gtest/gtest.h>

#include "text/split_family.h"

namespace zp {
namespace {

Tokenizer over_bytes() {
  Tokenizer t;
  t.split_regexes = {std::string(kGpt2Regex)};
  t.space_marks = SpaceMarks::none;
  return t;
}

Tokenizer pieces() {
  Tokenizer t;
  t.kind = TokenizerKind::sentencepiece_bpe;
  t.space_prefix = SpacePrefix::always;
  return t;
}

std::size_t count(const Tokenizer& t, const char* name, const char* model_type = "llama") {
  return transformers_tokenizer_deviations(t, {{"tokenizer_class", name}}, model_type).size();
}

TEST(TransformersTokenizer, AClassOverBytesSplitsInItsOwnWay) {
  EXPECT_EQ(count(over_bytes(), "PreTrainedTokenizerFast"), 0u);
  EXPECT_EQ(count(over_bytes(), "GPT2TokenizerFast"), 0u);
  EXPECT_EQ(count(over_bytes(), "Qwen2Tokenizer"), 2u);  // the regex, and NFC
  EXPECT_EQ(count(over_bytes(), "PreTrainedTokenizerFast", "qwen2"), 2u);
  Tokenizer t = over_bytes();
  t.split_regexes = {"x"};
  EXPECT_EQ(count(t, "GPT2Tokenizer"), 1u);
  EXPECT_EQ(count(pieces(), "GPT2Tokenizer"), 1u);
}

TEST(TransformersTokenizer, LlamasClassPutsASpaceInFrontInItsOwnWay) {
  EXPECT_EQ(count(pieces(), "LlamaTokenizer"), 2u);
  EXPECT_EQ(count(pieces(), "LlamaTokenizer", "phi3"), 0u);
  EXPECT_EQ(count(over_bytes(), "LlamaTokenizer"), 0u);
  Tokenizer t = pieces();
  t.space_marks = SpaceMarks::metaspace;
  t.space_prefix = SpacePrefix::first;
  EXPECT_EQ(count(t, "LlamaTokenizerFast"), 0u);
  t.space_prefix = SpacePrefix::never;
  EXPECT_EQ(count(t, "LlamaTokenizer"), 1u);
}

}  // namespace
}  // namespace zp
