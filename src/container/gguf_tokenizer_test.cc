#include "container/gguf_tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "text/read_tokenizer.h"
#include "text/split_family.h"

namespace zp {
namespace {

Tokenizer small() {
  Tokenizer t;
  t.tokens = {
      {"a"}, {"b"}, {"ab"}, {"<|im_end|>", 0, TokenType::control}, {"</s>", 0, TokenType::control}};
  t.merges = {{"a", "b"}};
  t.split_regexes = {std::string(kGpt2Regex)};
  t.eos = 4;
  return t;
}

const gguf::Value* find(const std::vector<gguf::Pair>& pairs, const std::string& key) {
  for (const gguf::Pair& pair : pairs) {
    if (pair.key == key) return &pair.value;
  }
  return nullptr;
}

template <class T>
T get(const std::vector<gguf::Pair>& pairs, const std::string& key) {
  const gguf::Value* value = find(pairs, key);
  EXPECT_NE(value, nullptr) << key;
  return value == nullptr ? T{} : std::get<T>(*value);
}

std::vector<gguf::Pair> pairs_of(const Tokenizer& t, const Json& generation = {},
                                 const std::string& pre = "") {
  return gguf_tokenizer(t, 6, generation, pre, "m");
}

std::string error_of(const Tokenizer& t, const Json& generation = {}) {
  try {
    pairs_of(t, generation);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(GgufTokenizer, WritesByteLevelBpe) {
  const auto pairs = pairs_of(small());
  EXPECT_EQ(get<std::string>(pairs, "tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(get<std::string>(pairs, "tokenizer.ggml.pre"), "gpt-2");
  EXPECT_EQ(get<gguf::Strings>(pairs, "tokenizer.ggml.tokens").back(), "[PAD5]");
  EXPECT_EQ(get<std::vector<std::int32_t>>(pairs, "tokenizer.ggml.token_type"),
            (std::vector<std::int32_t>{1, 1, 1, 3, 3, 5}));
  EXPECT_EQ(get<gguf::Strings>(pairs, "tokenizer.ggml.merges"), gguf::Strings{"a b"});
  EXPECT_EQ(find(pairs, "tokenizer.ggml.scores"), nullptr);
  EXPECT_FALSE(get<bool>(pairs, "tokenizer.ggml.add_bos_token"));
}

TEST(GgufTokenizer, WritesScoresForSentencePiece) {
  Tokenizer t = small();
  t.kind = TokenizerKind::sentencepiece_bpe;
  t.split_regexes.clear();
  t.tokens[2].score = -7;
  t.space_prefix = SpacePrefix::always;
  const auto pairs = pairs_of(t);
  EXPECT_EQ(get<std::string>(pairs, "tokenizer.ggml.model"), "llama");
  EXPECT_EQ(get<std::vector<float>>(pairs, "tokenizer.ggml.scores")[2], -7);
  EXPECT_TRUE(get<bool>(pairs, "tokenizer.ggml.add_space_prefix"));
  EXPECT_EQ(find(pairs, "tokenizer.ggml.merges"), nullptr);
}

TEST(GgufTokenizer, SpellsSpacesInMerges) {
  Tokenizer t = small();
  t.merges = {{" ", "b c"}};
  EXPECT_EQ(get<gguf::Strings>(pairs_of(t), "tokenizer.ggml.merges"),
            gguf::Strings{"\xC4\xA0 b\xC4\xA0"
                          "c"});
}

// Else the loader takes token 11 for both.
TEST(GgufTokenizer, AlwaysNamesBosAndEos) {
  EXPECT_EQ(get<std::uint32_t>(pairs_of(small()), "tokenizer.ggml.bos_token_id"), 4u);
  Tokenizer t = small();
  t.eos.reset();
  EXPECT_EQ(get<std::uint32_t>(pairs_of(t), "tokenizer.ggml.eos_token_id"), 3u);
}

TEST(GgufTokenizer, TakesTheEndOfATurnFromTheGenerationConfig) {
  EXPECT_EQ(find(pairs_of(small()), "tokenizer.ggml.eot_token_id"), nullptr);
  EXPECT_EQ(find(pairs_of(small(), {{"eos_token_id", 4}}), "tokenizer.ggml.eot_token_id"), nullptr);
  EXPECT_EQ(get<std::uint32_t>(pairs_of(small(), {{"eos_token_id", {2, 3, 4}}}),
                               "tokenizer.ggml.eot_token_id"),
            3u);
  EXPECT_EQ(get<std::uint32_t>(pairs_of(small(), {{"eos_token_id", {2, 4}}}),
                               "tokenizer.ggml.eot_token_id"),
            2u);
  EXPECT_EQ(error_of(small(), {{"eos_token_id", {99}}}),
            "m: generation_config.json: \"eos_token_id\": no token id: expected 0 to 5, found 99");
}

TEST(GgufTokenizer, FindsThePreTokenizerByRegexAndFlag) {
  Tokenizer t = small();
  t.split_regexes = {
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
  EXPECT_EQ(get<std::string>(pairs_of(t), "tokenizer.ggml.pre"), "dbrx");
  t.ignore_merges = true;
  EXPECT_EQ(get<std::string>(pairs_of(t), "tokenizer.ggml.pre"), "llama-bpe");
  EXPECT_TRUE(gguf_tokenizer_deviations(t).empty());
  t.split_regexes = {R"(\p{N})", std::string(kGpt2Regex)};
  EXPECT_EQ(get<std::string>(pairs_of(t), "tokenizer.ggml.pre"), "smollm");
  EXPECT_EQ(gguf_tokenizer_deviations(t),
            std::vector<std::string>{"words that are tokens but that no merges lead to"});
}

TEST(GgufTokenizer, LineEndsInARegexMayStandAsThemselves) {
  Tokenizer t = small();
  t.split_regexes = {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)",
                     "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+", R"(\p{N})"};
  EXPECT_EQ(get<std::string>(pairs_of(t), "tokenizer.ggml.pre"), "deepseek-coder");
}

TEST(GgufTokenizer, RefusesUnknownRegexesUnlessOverridden) {
  Tokenizer t = small();
  t.split_regexes = {"x+", "[\n]"};
  EXPECT_EQ(error_of(t),
            "m: no pre-tokenizer of llama.cpp is known to split text as this tokenizer does, with "
            "x+ then [\\n]: "
            "expected `pre-tokenizer` NAME to override");
  EXPECT_EQ(get<std::string>(pairs_of(t, {}, "tekken"), "tokenizer.ggml.pre"), "tekken");
}

TEST(GgufTokenizer, RefusesWhatLlamaCppCannotDo) {
  Tokenizer t = small();
  t.kind = TokenizerKind::unigram;
  EXPECT_NE(error_of(t).find("a unigram tokenizer can't be written to GGUF"), std::string::npos);
  t = small();
  t.normalizers = {Normalizer::lowercase};
  EXPECT_NE(error_of(t).find("found Lowercase"), std::string::npos);
  t = small();
  t.space_prefix = SpacePrefix::always;
  EXPECT_NE(error_of(t).find("put a space in front"), std::string::npos);
  t = small();
  t.tokens.resize(7);
  EXPECT_NE(error_of(t).find("more tokens than rows"), std::string::npos);
}

TEST(GgufTokenizer, WritesNamedTemplates) {
  Tokenizer t = small();
  t.chat_template = "D";
  t.named_templates = {{"tool_use", "T"}};
  const auto pairs = pairs_of(t);
  EXPECT_EQ(get<std::string>(pairs, "tokenizer.chat_template"), "D");
  EXPECT_EQ(get<std::string>(pairs, "tokenizer.chat_template.tool_use"), "T");
  EXPECT_EQ(get<gguf::Strings>(pairs, "tokenizer.chat_templates"), gguf::Strings{"tool_use"});
}

TEST(GgufTokenizer, WritesNoVocabularyForAModelWithoutTokenizer) {
  EXPECT_EQ(get<std::string>(gguf_no_tokenizer(), "tokenizer.ggml.model"), "no_vocab");
}

TEST(GgufTokenizer, NamesThePreTokenizerOfRealOnes) {
  const std::filesystem::path data = "../shared/data";
  if (!std::filesystem::is_directory(data)) GTEST_SKIP() << "no trial data";
  for (const auto& [folder, pre] : std::vector<std::pair<const char*, const char*>>{
           {"tokenizers/gpt2", "gpt-2"},
           {"tokenizers/gpt-neox-20b", "gpt-2"},
           {"tokenizers/phi-2", "gpt-2"},
           {"tokenizers/phi-3-mini", "default"},
           {"tokenizers/phi-4-base", "llama-bpe"},
           {"tokenizers/phi-4-mini", "granite-embed-multi-97m"},
           {"tokenizers/qwen2.5", "qwen2"},
           {"tokenizers/llama3", "llama-bpe"},
           {"models/en-bn-llama", "dbrx"}}) {
    const auto pairs = gguf_tokenizer(*read_tokenizer(data / folder), 1 << 18, {}, "", folder);
    EXPECT_EQ(get<std::string>(pairs, "tokenizer.ggml.pre"), pre) << folder;
  }
}

}  // namespace
}  // namespace zp
