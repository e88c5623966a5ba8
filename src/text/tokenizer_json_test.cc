#include "text/tokenizer_json.h"

#include "text/encode.h"
#include "text/read_tokenizer.h"
#include "text/test_folder.h"

namespace zp {
namespace {

// The text up to the fields under test: a vocabulary of four tokens and one merge.
std::string with(const std::string& fields, const std::string& model = "") {
  return R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"c":3},"merges":["a b"])" + model +
         "}" + fields + "}";
}

const std::string kByteLevel = R"(,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false})";

Tokenizer read(const std::string& text) {
  const TestFolder folder;
  const auto tokenizer = [&] {
    folder.write("tokenizer.json", text);
    return read_tokenizer(folder.path());
  }();
  EXPECT_TRUE(tokenizer);
  return *tokenizer;
}

// Without the folder's changing name.
std::string line(const std::string& text) {
  const std::string error = error_of([&] { read(text); });
  const std::string name = "tokenizer.json: ";
  const std::size_t at = error.find(name);
  return at == std::string::npos ? error : error.substr(at + name.size());
}

TEST(TokenizerJson, TellsTheKindsApart) {
  EXPECT_EQ(read(with(kByteLevel)).kind, TokenizerKind::byte_bpe);
  EXPECT_EQ(read(with("")).kind, TokenizerKind::plain_bpe);
  EXPECT_EQ(read(with("", R"(,"byte_fallback":true)")).kind, TokenizerKind::sentencepiece_bpe);
  EXPECT_EQ(
      read(with(R"(,"pre_tokenizer":{"type":"Metaspace","prepend_scheme":"first"})")).space_prefix,
      SpacePrefix::first);
  EXPECT_EQ(read(R"({"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1.5]]}})")
                .tokens[1]
                .score,
            -1.5f);
}

TEST(TokenizerJson, ReadsMergesAsTextAndAsPairs) {
  const std::string text = R"({"model":{"vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}})";
  EXPECT_EQ(read(text).merges, read(with("")).merges);
}

TEST(TokenizerJson, SpellsSplittersAsRegexes) {
  const Tokenizer t = read(with(
      R"(,"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},)"
      R"({"type":"Split","pattern":{"Regex":"x+"},"behavior":"Isolated","invert":true},)"
      R"({"type":"Split","pattern":{"Regex":"\\S+|\\s"},"behavior":"Removed","invert":true},)"
      R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})"));
  EXPECT_EQ(t.split_regexes, (std::vector<std::string>{R"(\p{N})", "x+", R"(\S+|\s)"}));
}

TEST(TokenizerJson, ScoresPiecesByTheirMerge) {
  const Tokenizer t = read(
      R"({"model":{"byte_fallback":true,"vocab":{"a":0,"b":1,"ab":2,"abb":3},"merges":["a b","ab b"]}})");
  EXPECT_EQ(t.tokens[2].score, 0);
  EXPECT_EQ(t.tokens[3].score, -1);
  EXPECT_EQ(t.tokens[0].score, -2);
}

TEST(TokenizerJson, FillsHolesAndKeepsFlags) {
  const Tokenizer t = read(
      R"({"model":{"vocab":{"a":0,"b":1,"ab":2,"c":3,"<s>":6},"merges":["a b"]})" + kByteLevel +
      R"(,"added_tokens":[{"id":6,"content":"<s>","special":true,"rstrip":true},)"
      R"({"id":7,"content":"  ","special":false}]})");
  ASSERT_EQ(t.tokens.size(), 8u);
  EXPECT_EQ(t.tokens[4].text, "[PAD4]");
  EXPECT_EQ(t.tokens[4].type, TokenType::unused);
  EXPECT_EQ(t.tokens[6].type, TokenType::control);
  EXPECT_EQ(t.tokens[7].type, TokenType::user_defined);
  ASSERT_EQ(t.added.size(), 2u);
  EXPECT_TRUE(t.added[0].rstrip);
  EXPECT_TRUE(t.added[1].normalized);
  EXPECT_TRUE(t.notes.empty());
}

TEST(TokenizerJson, CountsAddedTokensOnFromTheVocabulary) {
  const Tokenizer t = read(with(
      kByteLevel +
      R"(,"added_tokens":[{"id":9,"content":"<y>"},{"id":7,"content":"<x>"},{"id":8,"content":"c"}])"));
  ASSERT_EQ(t.added.size(), 3u);
  EXPECT_EQ(t.added[0].text, "c");
  EXPECT_EQ(t.added[0].id, 3);
  EXPECT_EQ(t.added[1].text, "<y>");
  EXPECT_EQ(t.added[1].id, 4);
  EXPECT_EQ(t.added[2].id, 5);
  EXPECT_EQ(t.notes,
            std::vector<std::string>{"added tokens are numbered on from the vocabulary, as "
                                     "transformers does: \"<y>\" 9 is 4, and 2 more"});
}

TEST(TokenizerJson, UnknownCharactersLeaveNoTraceWhereTheModelNamesNoToken) {
  const TestFolder folder;
  folder.write("tokenizer.json", with(kByteLevel));
  folder.write("tokenizer_config.json", R"({"unk_token":"c"})");
  const Tokenizer t = *read_tokenizer(folder.path());
  EXPECT_EQ(t.unknown, 3);
  EXPECT_EQ(Encoder(t, "t").encode("a?b", false), (std::vector<TokenId>{0, 1}));
}

TEST(TokenizerJson, TheTemplateTellsWhatIsPutAround) {
  const std::string added = R"(,"added_tokens":[{"id":4,"content":"<s>","special":true}])";
  const std::string around =
      R"(,"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},)"
      R"({"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"id":"<s>","ids":[4]}}})";
  const Tokenizer t = read(with(kByteLevel + added + around));
  EXPECT_TRUE(t.add_bos);
  EXPECT_FALSE(t.add_eos);
  EXPECT_EQ(t.bos, 4);
}

TEST(TokenizerJson, RefusesWhatItDoesNotKnowByName) {
  EXPECT_EQ(line(R"({"model":{"type":"WordPiece","vocab":{}}})"),
            "\"model\": \"type\": tokenizer model not supported: expected BPE or Unigram, found "
            "WordPiece");
  EXPECT_EQ(line(with(R"(,"normalizer":{"type":"StripAccents"})")),
            "\"normalizer\": normalizer not supported: found StripAccents");
  EXPECT_EQ(line(with(R"(,"pre_tokenizer":{"type":"BertPreTokenizer"})")),
            "\"pre_tokenizer\": pre-tokenizer not supported: found BertPreTokenizer");
  EXPECT_EQ(line(with(R"(,"post_processor":{"type":"BertProcessing"})")),
            "\"post_processor\": post-processor not supported: found BertProcessing");
  EXPECT_EQ(line(with("", R"(,"end_of_word_suffix":"</w>")")),
            "\"model\": \"end_of_word_suffix\": not supported: expected none, found </w>");
  EXPECT_EQ(
      line(with(
          R"(,"pre_tokenizer":{"type":"Split","pattern":{"Regex":"x"},"behavior":"MergedWithNext"})")),
      "\"pre_tokenizer\": this Split is not supported: expected a Regex whose matches are "
      "Isolated, "
      "found {\"Regex\":\"x\"}, MergedWithNext");
}

TEST(TokenizerJson, RefusesASplitThatDropsText) {
  const auto split = [](const char* behavior, const char* invert, const char* regex) {
    return line(with(std::string(R"(,"pre_tokenizer":{"type":"Split","pattern":{"Regex":")") +
                     regex + R"("},"behavior":")" + behavior + R"(","invert":)" + invert + "}"));
  };
  EXPECT_EQ(split("Removed", "true", "[a-z]"),
            "\"pre_tokenizer\": this Split drops text, which is not supported: expected "
            "\"Isolated\", or a Regex that matches everything, found [a-z], Removed, inverted");
  // A space that a letter follows is matched by neither.
  EXPECT_NE(split("Removed", "true", R"(\\S+|\\s+(?!\\S))"), "");
  for (const char* behavior : {"Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"})
    EXPECT_NE(split(behavior, "false", "[a-z]"), "") << behavior;
  for (const char* behavior : {"Contiguous", "MergedWithPrevious", "MergedWithNext"})
    EXPECT_NE(split(behavior, "true", "[a-z]"), "") << behavior;
}

TEST(TokenizerJson, RefusesDamageInOneLine) {
  EXPECT_EQ(line(R"({"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}})"),
            "\"model\": \"vocab\": id 0 stands for two tokens: found \"a\" and \"b\"");
  EXPECT_EQ(
      line(R"({"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}})"),
      "\"model\": \"vocab\": id of token \"a\" out of range: expected 0 to 2097151, found -1");
  EXPECT_EQ(line(R"({"model":{"type":"BPE","vocab":{"a":4000000000000000000},"merges":[]}})"),
            "\"model\": \"vocab\": id of token \"a\" out of range: expected 0 to 2097151, found "
            "4000000000000000000");
  EXPECT_EQ(
      line(R"({"model":{"type":"BPE","vocab":{"a":18446744073709551615},"merges":[]}})"),
      "\"model\": \"vocab\": id of token \"a\" out of range: expected 0 to 2097151, found -1");
  EXPECT_EQ(line(R"({"model":{"type":"BPE","vocab":{"a":1.5},"merges":[]}})"),
            "\"model\": \"vocab\": id of \"a\" is no integer: found 1.5");
  EXPECT_EQ(line(R"({"model":{"type":"BPE","vocab":[],"merges":[]}})"),
            "\"model\": \"vocab\": wrong type: expected an object of token: id, found array");
  EXPECT_EQ(line(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}})"),
            "\"model\": \"merges\": merge 0 names an unknown token: found \"b\" in \"a b\"");
  EXPECT_EQ(line(R"({"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}})"),
            "\"model\": \"merges\": merge 0 names an unknown token: found \"ab\" in \"a b\"");
  EXPECT_EQ(line(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a a a"]}})"),
            "\"model\": \"merges\": merge 0 isn't two tokens: expected \"a b\" or [\"a\", \"b\"], "
            "found \"a a a\"");
  EXPECT_EQ(line(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[7]}})"),
            "\"model\": \"merges\": merge 0 isn't two tokens: expected \"a b\" or [\"a\", \"b\"], "
            "found 7");
  EXPECT_EQ(line(R"({"model":{"vocab":{"a":0,"c":2},"merges":[]},)"
                 R"("added_tokens":[{"id":3,"content":"x","special":true}]})"),
            "\"added_tokens\": id 2 stands for two tokens: found \"c\" and \"x\"");
  EXPECT_EQ(line(with(R"(,"added_tokens":[{"id":9,"content":""}])")),
            "\"added_tokens\": added token 9 is empty");
  EXPECT_EQ(line(with(R"(,"added_tokens":{})")),
            "\"added_tokens\": wrong type: expected an array, found object");
  EXPECT_EQ(line(with("", R"(,"unk_token":"z")")),
            "\"model\": \"unk_token\": not in the vocabulary: found z");
  EXPECT_EQ(line(R"({"model":{"type":"Unigram","unk_id":7,"vocab":[["a",0]]}})"),
            "\"model\": \"unk_id\": not in the vocabulary: found 7");
  EXPECT_EQ(line(R"({"model":[]})"), "\"model\": no JSON object: expected an object, found array");
  EXPECT_EQ(line("{}"), "field missing: expected \"model\"");
}

TEST(TokenizerJson, RefusesDeepNesting) {
  std::string deep = R"({"type":"NFC"})";
  for (int i = 0; i < 200; ++i) deep = R"({"type":"Sequence","normalizers":[)" + deep + "]}";
  EXPECT_EQ(line(with(",\"normalizer\":" + deep)),
            "JSON nested too deeply: expected at most 128 levels");
}

TEST(TokenizerJson, SurvivesEveryTruncation) {
  const std::string text =
      with(kByteLevel + R"(,"added_tokens":[{"id":6,"content":"<s>","special":true}])");
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_NE(line(text.substr(0, n)), "") << n;
}

}  // namespace
}  // namespace zp
