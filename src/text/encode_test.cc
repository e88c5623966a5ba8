#include "text/encode.h"

#include <thread>

#include "text/decode.h"
#include "text/read_tokenizer.h"
#include "text/test_folder.h"

namespace zp {
namespace {

using Ids = std::vector<TokenId>;

Tokenizer from_json(const std::string& json) {
  const TestFolder folder;
  folder.write("tokenizer.json", json);
  return *read_tokenizer(folder.path());
}

Ids encode(const Tokenizer& tokenizer, std::string_view text, bool special = false) {
  return Encoder(tokenizer, "t").encode(text, special);
}

// Letters and what they merge to, over bytes: ab, abc, and bc earlier than both.
Tokenizer bytes(const std::string& regex, const std::string& rest = "") {
  return from_json(
      R"({"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","behavior":"Isolated",)"
      R"("pattern":{"Regex":")" +
      regex + R"("}},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},)" +
      R"("model":{"vocab":{"a":0,"b":1,"c":2,"bc":3,"ab":4,"abc":5,"Ġ":6,"Ã":7,"©":8},)"
      R"("merges":["b c","a b","a bc"]})" +
      rest + "}");
}

TEST(Encode, MergesTheLowestRankFirstAndTheLeftmostOfEquals) {
  const Tokenizer t = bytes(R"(\\S+)");
  EXPECT_EQ(encode(t, "abc"), Ids{5});
  EXPECT_EQ(encode(t, "abab"), (Ids{4, 4}));
  EXPECT_EQ(encode(t, "bcbc abc"), (Ids{3, 3, 6, 5}));
  EXPECT_EQ(encode(t, ""), Ids{});
}

TEST(Encode, BytesWithoutATokenLeaveNoTrace) {
  EXPECT_EQ(encode(bytes(R"(\\S+)"), "a\xC3\xA9z"), (Ids{0, 7, 8}));
}

TEST(Encode, BrokenUtf8IsTheReplacementCharacter) {
  const Tokenizer t =
      from_json(R"({"model":{"vocab":{"a":0,"\ufffd":1},"merges":[]},"pre_tokenizer":null})");
  EXPECT_EQ(encode(t,
                   "a\xE2\x82"
                   "a\xFF\xC3"),
            (Ids{0, 1, 0, 1, 1}));
}

TEST(Encode, LongWordsMergeAsShortOnes) {
  const Tokenizer t = bytes(R"(\\S+)");
  std::string text;
  Ids ids;
  for (int i = 0; i < 1000; ++i) {
    text += "abcab";
    ids.insert(ids.end(), {5, 4});
  }
  EXPECT_EQ(encode(t, text), ids);
}

TEST(Encode, AMegabyteWithoutSpacesTakesLittleTime) {
  const Tokenizer t = bytes(R"(\\S+)");
  EXPECT_EQ(encode(t, std::string(1 << 20, 'a')).size(), std::size_t{1} << 20);
  EXPECT_EQ(encode(t, std::string(1 << 20, ' ')).size(), std::size_t{1} << 20);
}

TEST(Encode, ARegexThatTakesTooLongIsAnError) {
  const Tokenizer t = bytes("(a+)+[bc]");
  EXPECT_NE(error_of([&] {
              encode(t, std::string(60, 'a'));
            }).find("regular expression can't be used on this text"),
            std::string::npos);
}

TEST(Encode, RefusesWhatIsNoRegex) {
  EXPECT_NE(error_of([] { encode(bytes("(a"), "a"); }).find("regular expression: missing"),
            std::string::npos);
  EXPECT_NE(error_of([] { encode(bytes("[a&&b]"), "a"); }).find("not supported"),
            std::string::npos);
}

constexpr const char* kAdded =
    R"(,"added_tokens":[{"id":9,"content":"<x>"},{"id":10,"content":"<x>a","special":true},)"
    R"({"id":11,"content":"<l>","lstrip":true},{"id":12,"content":"<r>","rstrip":true},)"
    R"({"id":13,"content":"bb","single_word":true}])";

TEST(Encode, TakesTheLongestAddedToken) {
  const Tokenizer t = bytes(R"(\\S+)", kAdded);
  EXPECT_EQ(encode(t, "a<x>b"), (Ids{0, 9, 1}));
  EXPECT_EQ(encode(t, "<x>a<x>"), (Ids{10, 9}));
}

TEST(Encode, AddedTokensTakeSpacesAlongAndStandAlone) {
  const Tokenizer t = bytes(R"(\\S+)", kAdded);
  EXPECT_EQ(encode(t, "a  <l> a"), (Ids{0, 11, 6, 0}));
  EXPECT_EQ(encode(t, "a <r>  a"), (Ids{0, 6, 12, 0}));
  EXPECT_EQ(encode(t, "a bb"), (Ids{0, 6, 13}));
  EXPECT_EQ(encode(t, "abb"), (Ids{4, 1}));
}

// "the" of U+2581 is worth its bytes; 3 to 5 are byte tokens.
constexpr const char* kPieces =
    R"({"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)"
    R"({"type":"Replace","pattern":{"String":" "},"content":"▁"}]},"model":{"byte_fallback":true,)"
    R"("unk_token":"<unk>","fuse_unk":true,"vocab":{"<unk>":0,"<s>":1,"▁":2,"<0xC3>":3,"<0xA9>":4,)"
    R"("<0x21>":5,"a":6,"▁a":7,"b":8,"▁ab":9},"merges":["▁ a","▁a b"]},)"
    R"("decoder":{"type":"Strip","content":" ","start":1,"stop":0},)"
    R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},)"
    R"({"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[1]}}},)"
    R"("added_tokens":[{"id":1,"content":"<s>","special":true}]})";

TEST(Encode, SentencePiecesHaveMarksPrefixAndBytes) {
  const Tokenizer t = from_json(kPieces);
  EXPECT_EQ(encode(t, "ab a"), (Ids{9, 7}));
  EXPECT_EQ(encode(t, "ab a", true), (Ids{1, 9, 7}));
  EXPECT_EQ(encode(t, "<s>a"), (Ids{1, 7}));
  EXPECT_EQ(encode(t, "\xC3\xA9!"), (Ids{2, 3, 4, 5}));
  EXPECT_EQ(encode(t, "?xyz"), (Ids{2, 0}));
  EXPECT_EQ(encode(t, "", true), Ids{1});
}

TEST(Encode, WithoutMergesTheBestScoreGoesFirst) {
  Tokenizer t;
  t.kind = TokenizerKind::sentencepiece_bpe;
  t.tokens = {{"<unk>", 0, TokenType::unknown}, {"a", -9}, {"b", -9}, {"ab", -2}, {"bc", -1}};
  t.unknown = 0;
  EXPECT_EQ(encode(t, "abc"), (Ids{1, 4}));  // "c" is no token, and yet merges
  EXPECT_EQ(encode(t, "abb"), (Ids{3, 2}));
  EXPECT_EQ(encode(t, "cc"), (Ids{0, 0}));
  t.fuse_unknown = true;
  EXPECT_EQ(encode(t, "ccxa"), (Ids{0, 1}));
}

TEST(Encode, UnigramTakesTheLargestSumAndTheEarlierOfEquals) {
  Tokenizer t;
  t.kind = TokenizerKind::unigram;
  t.space_marks = SpaceMarks::none;
  t.unknown = 0;
  t.tokens = {{"<unk>", 0, TokenType::unknown},
              {"a", -1},
              {"b", -1},
              {"ab", -1.5},
              {"ba", -0.25},
              {"aba", -1.25}};
  EXPECT_EQ(encode(t, "ab"), Ids{3});
  EXPECT_EQ(encode(t, "aba"), Ids{5});  // as good as a + ba, and found first
  EXPECT_EQ(encode(t, "abab"), (Ids{5, 2}));
  EXPECT_EQ(encode(t, "xxa"), (Ids{0, 0, 1}));
  t.unknown.reset();
  EXPECT_NE(error_of([&] { encode(t, "x"); }).find("no unknown token"), std::string::npos);
}

TEST(Encode, ManyThreadsShareOne) {
  const Tokenizer t = bytes(R"(\\S+)", kAdded);
  const Encoder encoder(t, "t");
  std::vector<Ids> results(8);
  std::vector<std::thread> threads;
  for (Ids& result : results) {
    threads.emplace_back([&encoder, &result] {
      for (int i = 0; i < 200; ++i) result = encoder.encode("abc <x>ab <l> bcabc", true);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Ids& result : results) EXPECT_EQ(result, results[0]);
}

TEST(Decode, GivesTheTextBack) {
  const Tokenizer pieces = from_json(kPieces);
  const TokenDecoder decoder(pieces);
  for (const char* text : {"ab a", "a\xC3\xA9!", " a", "a  b"}) {
    EXPECT_EQ(decoder.decode(encode(pieces, text, true)), text);
  }
  EXPECT_EQ(decoder.decode(Ids{1, 7}, false), "<s> a");
  EXPECT_EQ(decoder.decode(Ids{1, 7}), "a");
}

TEST(Decode, HoldsBackWhatIsNoWholeCharacter) {
  const Tokenizer t = bytes(R"(\\S+)");
  const TokenDecoder decoder(t);
  TokenDecoder::Stream stream(decoder);
  EXPECT_EQ(stream.push(0), "a");
  EXPECT_EQ(stream.push(7), "");
  EXPECT_EQ(stream.push(8), "\xC3\xA9");
  EXPECT_EQ(stream.push(7), "");
  EXPECT_EQ(stream.push(0),
            "\xEF\xBF\xBD"
            "a");
  EXPECT_EQ(stream.push(7), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.push(99), "");
}

TEST(Decode, EveryBrokenByteTokenIsOneReplacement) {
  const TokenDecoder decoder(from_json(kPieces));
  EXPECT_EQ(decoder.decode(Ids{3, 3, 4, 6}),
            "\xEF\xBF\xBD\xC3\xA9"
            "a");
  EXPECT_EQ(decoder.decode(Ids{3, 6}),
            "\xEF\xBF\xBD"
            "a");
}

TEST(Decode, CleansSpacesUpWhereAsked) {
  Tokenizer t = from_json(R"({"model":{"vocab":{" ":0,"a":1,".":2},"merges":[]}})");
  EXPECT_EQ(TokenDecoder(t).decode(Ids{1, 0, 2}), "a .");
  t.clean_up_spaces = true;
  EXPECT_EQ(TokenDecoder(t).decode(Ids{1, 0, 2}), "a.");
}

}  // namespace
}  // namespace zp
