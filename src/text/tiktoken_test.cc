#include "text/tiktoken.h"

#include <algorithm>

#include "text/test_folder.h"

namespace zp {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

// All single bytes, then `tokens`.
std::string ranks(const std::vector<std::string>& tokens) {
  std::string file;
  int rank = 0;
  for (int byte = 0; byte < 256; ++byte) {
    file += base64(std::string(1, static_cast<char>(byte))) + " " + std::to_string(rank++) + "\n";
  }
  for (const std::string& token : tokens)
    file += base64(token) + " " + std::to_string(rank++) + "\n";
  return file;
}

TokenizerDraft read(const std::string& file) {
  TokenizerDraft draft;
  read_tiktoken(file, "cl100k_base", "f", draft);
  return draft;
}

using Merge = std::pair<std::string, std::string>;

TEST(Tiktoken, DerivesTheMergeThatBpeWouldUse) {
  const TokenizerDraft draft = read(ranks({"he", "th", "the", " the"}));
  // "the": h and e merge first, so that t + he is left although th is a token too.
  EXPECT_EQ(draft.tokenizer.merges,
            (std::vector<Merge>{{"h", "e"}, {"t", "h"}, {"t", "he"}, {"\xC4\xA0", "the"}}));
  EXPECT_EQ(draft.vocabulary.find("\xC4\xA0the"), 259);
  EXPECT_TRUE(draft.tokenizer.ignore_merges);
}

TEST(Tiktoken, ATokenMayRankBelowItsParts) {
  const TokenizerDraft draft = read(ranks({"abcd", "ab", "cd"}));
  EXPECT_EQ(draft.tokenizer.merges.front(), (Merge{"ab", "cd"}));
}

TEST(Tiktoken, ATokenThatNothingLeadsToHasNoMerge) {
  EXPECT_EQ(read(ranks({"ab", "xyz"})).tokenizer.merges, (std::vector<Merge>{{"a", "b"}}));
}

TEST(Tiktoken, SaysWhatIsDamaged) {
  const std::string good = ranks({});
  EXPECT_EQ(error_of([&] { read(good + "a?== 256\n"); }),
            "f: line 257: no line of a tiktoken file: expected \"BASE64 RANK\", found a?== 256");
  EXPECT_EQ(error_of([&] { read(good + "YWI= x\n"); }),
            "f: line 257: no line of a tiktoken file: expected \"BASE64 RANK\", found YWI= x");
  EXPECT_EQ(error_of([&] { read(good + "YWI= 255\n"); }),
            "f: line 257: id 255 stands for two tokens: found \"\xC3\xBF\" and \"ab\"");
  EXPECT_EQ(error_of([&] { read(good + "YQ== 256\n"); }),
            "f: line 257: token \"a\" stands twice: found ids 97 and 256");
  EXPECT_EQ(
      error_of([&] { read(good + "YWI= 99999999999\n"); }),
      "f: line 257: id of token \"ab\" out of range: expected 0 to 2097151, found 99999999999");
  EXPECT_EQ(error_of([&] { read(good + base64(std::string(2000, 'a')) + " 256\n"); }),
            "f: line 257: token too long");
  EXPECT_EQ(error_of([&] { read(good.substr(7)); }), "f: no token for the single byte 0");
}

TEST(Tiktoken, RefusesRanksOfNoKnownModel) {
  TokenizerDraft draft;
  EXPECT_EQ(
      error_of([&] { read_tiktoken(ranks({}), "mine", "f", draft); }),
      "f: a list of ranks that doesn't say how to split text into words: expected tokenizer.json "
      "beside it, found 256 ranks of no known model");
}

TEST(Tiktoken, IsToldFromOtherFiles) {
  EXPECT_TRUE(is_tiktoken("IQ== 0\nIg== 1\n"));
  EXPECT_FALSE(is_tiktoken("\n\x0E\n\x05<unk>"));
  EXPECT_FALSE(is_tiktoken(""));
}

}  // namespace
}  // namespace zp
