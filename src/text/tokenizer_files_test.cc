#include "text/tokenizer_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "text/encode.h"
#include "text/read_tokenizer.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

Tokenizer read_back(const Tokenizer& t) {
  const fs::path folder = fs::path(testing::TempDir()) / "zp_tokenizer_files";
  fs::create_directories(folder);
  std::ofstream(folder / "tokenizer.json") << tokenizer_json(t)->dump();
  std::ofstream(folder / "tokenizer_config.json") << tokenizer_config_json(t).dump();
  Tokenizer back = *read_tokenizer(folder);
  fs::remove_all(folder);
  return back;
}

void expect_same_ids(const Tokenizer& a, const Tokenizer& b) {
  for (const char* text : {"abc ab  c", " a", "", "cab<end>abc", "b", "\xE0\xA6\x95 ab"}) {
    EXPECT_EQ(Encoder(a, "a").encode(text, true), Encoder(b, "b").encode(text, true)) << text;
  }
}

Token piece(const char* text, double score, TokenType type = TokenType::normal) {
  return {text, score, type};
}

TEST(TokenizerFiles, ByteBpeComesBack) {
  Tokenizer t;
  t.kind = TokenizerKind::byte_bpe;
  t.space_marks = SpaceMarks::none;
  for (const char* text : {"a", "b", "c", "\xC4\xA0", "ab",
                           "\xC4\xA0"
                           "ab"})
    t.tokens.push_back({text});
  t.tokens.push_back({"<end>", 0, TokenType::control});
  t.tokens.push_back({"[PAD7]", 0, TokenType::unused});
  t.merges = {{"a", "b"}, {"\xC4\xA0", "ab"}};
  t.added = {{6, "<end>", true}};
  t.split_regexes = {R"( ?\p{L}+|\s+)", "b"};
  t.normalizers = {Normalizer::nfc};
  t.ignore_merges = true;
  t.add_bos = true;
  t.bos = t.eos = 6;
  t.chat_template = "{{ messages }}";
  const Tokenizer back = read_back(t);
  EXPECT_EQ(back.kind, t.kind);
  EXPECT_EQ(back.merges, t.merges);
  EXPECT_EQ(back.split_regexes, t.split_regexes);
  EXPECT_EQ(back.normalizers, t.normalizers);
  EXPECT_EQ(back.ignore_merges, true);
  EXPECT_EQ(back.add_bos, true);
  EXPECT_EQ(back.add_eos, false);
  EXPECT_EQ(back.bos, 6);
  EXPECT_EQ(back.eos, 6);
  EXPECT_EQ(back.chat_template, t.chat_template);
  EXPECT_EQ(back.tokens.size(), 7u);
}

TEST(TokenizerFiles, ScoresBecomeMerges) {
  Tokenizer t;
  t.kind = TokenizerKind::sentencepiece_bpe;
  t.tokens = {piece("<unk>", 0, TokenType::unknown),
              piece("<end>", 0, TokenType::control),
              piece("\xE2\x96\x81", -9),
              piece("a", -9),
              piece("b", -9),
              piece("c", -9),
              piece("bc", -1),
              piece("ab", -2),
              piece("\xE2\x96\x81"
                    "ab",
                    -3),
              piece("abc", -4)};
  t.unknown = 0;
  t.bos = 1;
  t.add_bos = true;
  t.added = {{0, "<unk>", true}, {1, "<end>", true}};
  t.space_prefix = SpacePrefix::always;
  const Tokenizer back = read_back(t);
  expect_same_ids(t, back);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"b", "c"}, {"a", "b"}, {"\xE2\x96\x81", "ab"}, {"a", "bc"}, {"ab", "c"}};
  EXPECT_EQ(back.merges, expected);
  EXPECT_EQ(back.unknown, 0);
}

TEST(TokenizerFiles, AddedTokensBehindAGapKeepTheirIds) {
  Tokenizer t;
  t.kind = TokenizerKind::byte_bpe;
  t.space_marks = SpaceMarks::none;
  t.split_regexes = {"b"};
  t.tokens = {{"a"},
              {"b"},
              {"<x>", 0, TokenType::control},
              {"[PAD3]", 0, TokenType::unused},
              {"<y>", 0, TokenType::control}};
  t.added = {{2, "<x>", true}, {4, "<y>", true}};
  for (AddedToken& token : t.added) token.outside_model = true;
  t.named_tokens = {{"image_token", "<y>"}};
  const Tokenizer back = read_back(t);
  EXPECT_EQ(Encoder(back, "t").encode("a<y><x>b", false), (std::vector<TokenId>{0, 4, 2, 1}));
  EXPECT_EQ(back.named_tokens, t.named_tokens);
  EXPECT_TRUE(back.notes.empty());
}

TEST(TokenizerFiles, WhatTheyCannotSayIsNotWritten) {
  Tokenizer t;
  t.kind = TokenizerKind::unigram;
  EXPECT_FALSE(tokenizer_json(t));
  t.kind = TokenizerKind::sentencepiece_bpe;
  EXPECT_TRUE(tokenizer_json(t));
  t.remove_extra_whitespaces = true;
  EXPECT_FALSE(tokenizer_json(t));
  t = {};
  t.space_prefix = SpacePrefix::always;
  t.split_regexes = {"a"};
  EXPECT_FALSE(tokenizer_json(t));
}

}  // namespace
}  // namespace zp
