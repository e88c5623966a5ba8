#include "text/tokenizer.h"

#include "base/mapped_file.h"
#include "text/read_tokenizer.h"
#include "text/split_family.h"
#include "text/test_folder.h"

namespace zp {
namespace {

constexpr const char* kVocab = R"({"a":0,"b":1,"ab":2,"<|endoftext|>":3})";

TEST(Tokenizer, AFolderWithoutOneHasNone) {
  const TestFolder folder;
  EXPECT_FALSE(read_tokenizer(folder.path()));
  EXPECT_FALSE(read_tokenizer(folder.path() / "missing"));
}

TEST(Tokenizer, VocabAndMergesAloneAreGpt2s) {
  const TestFolder folder;
  folder.write("vocab.json", kVocab);
  folder.write("merges.txt", "#version: 0.2\na b\n");
  const Tokenizer t = *read_tokenizer(folder.path());
  EXPECT_EQ(t.split_regexes, std::vector<std::string>{std::string(kGpt2Regex)});
  EXPECT_EQ(t.eos, 3);
  EXPECT_EQ(t.tokens[3].type, TokenType::control);
  EXPECT_EQ(t.merges.size(), 1u);
}

TEST(Tokenizer, TheClassTellsTheRegex) {
  const TestFolder folder;
  folder.write("vocab.json", kVocab);
  folder.write("merges.txt", "a b\n");
  folder.write("tokenizer_config.json", R"({"tokenizer_class":"Qwen2TokenizerFast"})");
  const Tokenizer t = *read_tokenizer(folder.path());
  EXPECT_NE(t.split_regexes[0].find(R"(\p{N}| ?)"), std::string::npos);
  EXPECT_EQ(t.normalizers, std::vector<Normalizer>{Normalizer::nfc});
}

TEST(Tokenizer, RefusesMergesThatNothingTellsHowToSplit) {
  const TestFolder folder;
  folder.write("vocab.json", kVocab);
  folder.write("merges.txt", "a b\n");
  folder.write("tokenizer_config.json", R"({"tokenizer_class":"MyTokenizer"})");
  EXPECT_NE(error_of([&] {
              read_tokenizer(folder.path());
            }).find("expected tokenizer.json beside them, found tokenizer_class \"MyTokenizer\""),
            std::string::npos);
}

TEST(Tokenizer, RefusesGpt2sRegexForMergesThatContradictIt) {
  const TestFolder folder;
  folder.write("vocab.json", "{\";\":0,\"\xC4\x8A\":1,\";\xC4\x8A\":2}");
  folder.write("merges.txt", "; \xC4\x8A\n");
  EXPECT_NE(
      error_of([&] { read_tokenizer(folder.path()); }).find("which GPT-2's splitting never does"),
      std::string::npos);
}

TEST(Tokenizer, RefusesBrokenMergesWithTheirLine) {
  const TestFolder folder;
  folder.write("vocab.json", kVocab);
  folder.write("merges.txt", "#version: 0.2\na b\na b c\n");
  EXPECT_NE(error_of([&] {
              read_tokenizer(folder.path());
            }).find("merges.txt: line 3: not two tokens: expected \"a b\", found a b c"),
            std::string::npos);
}

TEST(Tokenizer, ReadsSpecialTokensAndTemplates) {
  const TestFolder folder;
  folder.write("vocab.json", kVocab);
  folder.write("merges.txt", "a b\n");
  folder.write(
      "tokenizer_config.json",
      R"({"tokenizer_class":"GPT2Tokenizer","add_bos_token":true,)"
      R"("added_tokens_decoder":{"4":{"content":"<s>","special":true}},"bos_token":{"content":"<s>"},)"
      R"("pad_token":"none","chat_template":[{"name":"default","template":"D"},{"name":"tool_use","template":"T"}]})");
  folder.write("special_tokens_map.json", R"({"eos_token":"<|endoftext|>"})");
  folder.write("added_tokens.json", R"({"<s>":4,"<x>":5})");
  const Tokenizer t = *read_tokenizer(folder.path());
  EXPECT_TRUE(t.add_bos);
  EXPECT_EQ(t.bos, 4);
  EXPECT_EQ(t.eos, 3);
  EXPECT_EQ(t.pad, 6);
  EXPECT_EQ(t.notes, std::vector<std::string>{"pad_token \"none\" is not in the vocabulary: as in "
                                              "transformers it gets a new id, 6"});
  EXPECT_EQ(t.tokens[5].type, TokenType::user_defined);
  EXPECT_EQ(t.chat_template, "D");
  ASSERT_EQ(t.named_templates.size(), 1u);
  EXPECT_EQ(t.named_templates[0].second, "T");
}

TEST(Tokenizer, TheJinjaFileGoesFirst) {
  const TestFolder folder;
  folder.write("vocab.json", kVocab);
  folder.write("merges.txt", "a b\n");
  folder.write("chat_template.json", R"({"chat_template":"json"})");
  EXPECT_EQ(read_tokenizer(folder.path())->chat_template, "json");
  folder.write("chat_template.jinja", "jinja");
  EXPECT_EQ(read_tokenizer(folder.path())->chat_template, "jinja");
}

TEST(Tokenizer, RefusesABeginningThatNothingNames) {
  const TestFolder folder;
  folder.write("vocab.json", R"({"a":0})");
  folder.write("merges.txt", "");
  folder.write("tokenizer_config.json", R"({"add_bos_token":true,"bos_token":null})");
  EXPECT_NE(error_of([&] {
              read_tokenizer(folder.path());
            }).find("asks for a token at the beginning of every text but names none"),
            std::string::npos);
}

TEST(Tokenizer, TokenizerJsonAloneSaysWhatIsPutAround) {
  const TestFolder folder;
  folder.write(
      "tokenizer.json",
      R"({"model":{"vocab":{"a":0,"<s>":1},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"},)"
      R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},)"
      R"({"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[1]}}}})");
  folder.write("tokenizer_config.json",
               R"({"add_bos_token":false,"add_eos_token":true,"bos_token":"<s>"})");
  const Tokenizer t = *read_tokenizer(folder.path());
  EXPECT_TRUE(t.add_bos);
  EXPECT_FALSE(t.add_eos);
  EXPECT_EQ(t.notes, (std::vector<std::string>{
                         "add_bos_token is false in tokenizer_config.json, but tokenizer.json puts "
                         "the token there all the same, and as in transformers that holds",
                         "add_eos_token is true in tokenizer_config.json, but tokenizer.json puts "
                         "no token there, and as in transformers that holds"}));
}

TEST(Tokenizer, AnIdInConfigJsonMakesNoTokenSpecial) {
  const TestFolder folder;
  folder.write("tokenizer.json",
               R"({"model":{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]},)"
               R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}})");
  folder.write("config.json", R"({"pad_token_id":0,"eos_token_id":1})");
  const Tokenizer t = *read_tokenizer(folder.path());
  EXPECT_EQ(t.pad, 0);
  EXPECT_EQ(t.eos, 1);
  EXPECT_TRUE(t.added.empty());
  EXPECT_EQ(t.tokens[0].type, TokenType::normal);
}

TEST(Tokenizer, PadsToTheRowsWithNamesThatAreFree) {
  Tokenizer t;
  t.tokens = {{"a"}, {"[PAD2]"}};
  pad_to(t, 4, "m");
  EXPECT_EQ(t.tokens[2].text, "[PAD2]_");
  EXPECT_EQ(t.tokens[3].text, "[PAD3]");
  EXPECT_EQ(t.tokens[3].type, TokenType::unused);
  EXPECT_EQ(error_of([&] { pad_to(t, 3, "m"); }),
            "m: more tokens than rows of the embedding: expected at most 3, found 4");
}

struct Real {
  const char* folder;
  TokenizerKind kind;
  std::size_t tokens, merges, added, regexes;
  std::int64_t bos, eos;  // -1: none
  bool add_bos;
};

TEST(Tokenizer, ReadsRealOnes) {
  if (trial_data().empty()) GTEST_SKIP() << "no trial data";
  constexpr auto kBytes = TokenizerKind::byte_bpe;
  constexpr auto kPieces = TokenizerKind::sentencepiece_bpe;
  for (const Real& real : {
           Real{"tokenizers/gpt2", kBytes, 50257, 50000, 1, 1, 50256, 50256, false},
           Real{"tokenizers/gpt-neox-20b", kBytes, 50277, 50009, 25, 1, -1, -1, false},
           Real{"tokenizers/phi-2", kBytes, 50295, 50000, 39, 1, 50256, 50256, false},
           Real{"tokenizers/phi-3-mini", kPieces, 32011, 61249, 14, 0, 1, 32000, false},
           Real{"tokenizers/phi-4-base", kBytes, 100352, 100000, 96, 1, 100257, 100265, false},
           Real{"tokenizers/phi-4-mini", kBytes, 200029, 199742, 12, 1, 199999, 199999, false},
           Real{"tokenizers/qwen2.5", kBytes, 151665, 151387, 22, 1, -1, 151645, false},
           Real{"tokenizers/llama3", kBytes, 128000, 127156, 0, 1, -1, -1, false},
           Real{"models/stories260k", kPieces, 512, 165, 3, 0, 1, 2, true},
           Real{"models/tinystories-656k", kPieces, 2048, 1967, 3, 0, 1, 2, true},
           Real{"models/en-bn-llama", kBytes, 4096, 3838, 2, 1, 0, 1, false},
           Real{"models/micro-lm-gpt2", TokenizerKind::plain_bpe, 256, 212, 1, 0, -1, -1, false},
       }) {
    SCOPED_TRACE(real.folder);
    const auto t = read_tokenizer(trial_data() / real.folder);
    ASSERT_TRUE(t);
    EXPECT_EQ(t->kind, real.kind);
    EXPECT_EQ(t->tokens.size(), real.tokens);
    EXPECT_EQ(t->merges.size(), real.merges);
    EXPECT_EQ(t->added.size(), real.added);
    EXPECT_EQ(t->split_regexes.size(), real.regexes);
    EXPECT_EQ(t->bos.value_or(-1), real.bos);
    EXPECT_EQ(t->eos.value_or(-1), real.eos);
    EXPECT_EQ(t->add_bos, real.add_bos);
    EXPECT_FALSE(t->add_eos);
  }
}

// Its tokenizer.json has plain spaces where U+00A0 belongs; Hugging Face's reader refuses it as
// well.
TEST(Tokenizer, ReadsLlama2FromItsModelFileAlone) {
  if (trial_data().empty()) GTEST_SKIP() << "no trial data";
  const std::filesystem::path source = trial_data() / "tokenizers/llama2";
  EXPECT_NE(error_of([&] { read_tokenizer(source); }).find("merge 18917 isn't two tokens"),
            std::string::npos);
  const TestFolder folder;
  folder.write("tokenizer.model", read_text(source / "tokenizer.model"));
  const Tokenizer t = *read_tokenizer(folder.path());
  EXPECT_EQ(t.kind, TokenizerKind::sentencepiece_bpe);
  EXPECT_EQ(t.tokens.size(), 32000u);
  EXPECT_EQ(t.tokens[3].type, TokenType::byte);
  EXPECT_EQ(t.space_prefix, SpacePrefix::always);
  EXPECT_TRUE(t.add_bos);
}

TEST(Tokenizer, PrefersTheScoresOfTheModelFileWhenItAgrees) {
  if (trial_data().empty()) GTEST_SKIP() << "no trial data";
  const std::filesystem::path source = trial_data() / "models/stories260k";
  const Tokenizer both = *read_tokenizer(source);
  EXPECT_TRUE(both.notes.empty());
  EXPECT_EQ(both.tokens[511].score,
            -252.0f);  // SentencePiece numbers all pieces, not only merged ones
  const TestFolder folder;
  folder.write("tokenizer.json", read_text(source / "tokenizer.json"));
  const Tokenizer alone = *read_tokenizer(folder.path());
  EXPECT_EQ(alone.tokens[511].score, -165.0f);
  folder.write("tokenizer.model", read_text(trial_data() / "tokenizers/llama2/tokenizer.model"));
  const Tokenizer other = *read_tokenizer(folder.path());
  ASSERT_EQ(other.notes.size(), 1u);
  EXPECT_NE(other.notes[0].find("only tokenizer.json was used"), std::string::npos);
  EXPECT_EQ(other.tokens[511].score, -165.0f);
}

}  // namespace
}  // namespace zp
