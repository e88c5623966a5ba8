#include "text/oniguruma.h"

#include "text/split_regex.h"
#include "text/test_folder.h"

namespace zp {
namespace {

// The matches, with "|" between them.
std::string matches(std::string_view pattern, std::string_view text) {
  const SplitRegex regex(pattern, "r");
  SplitRegex::Matches found(regex);
  found.start(text);
  std::string out;
  while (const auto match = found.next()) {
    if (!out.empty()) out += '|';
    out += text.substr(match->begin, match->end - match->begin);
  }
  return out;
}

TEST(Oniguruma, WhiteSpaceIsUnicodes) {
  EXPECT_EQ(matches(R"(\s)", "a\xC2\x85"), "\xC2\x85");            // U+0085
  EXPECT_EQ(matches(R"(\s)", "a\xE1\xA0\x8E"), "");                // U+180E
  EXPECT_EQ(matches(R"([^\S ]+)", "a \n\xC2\xA0"), "\n\xC2\xA0");  // all white space but the space
}

TEST(Oniguruma, WordsHaveMarks) {
  EXPECT_EQ(matches(R"(\w+)", "\xE0\xA6\x95\xE0\xA6\xBE-x_1"), "\xE0\xA6\x95\xE0\xA6\xBE|x_1");
  EXPECT_EQ(matches(R"(\W+)", "\xE0\xA6\x95\xE0\xA6\xBE-x"), "-");
}

TEST(Oniguruma, KnowsTheLettersOfUnicode16) {
  EXPECT_EQ(matches(R"(\p{L}+)", "a\xE1\xB2\x89z"), "a\xE1\xB2\x89z");  // U+1C89
  EXPECT_EQ(matches(R"(\P{L}+)", "a\xE1\xB2\x89z-"), "-");
  EXPECT_EQ(matches(R"([^\p{Lu}])", "\xE1\xB2\x89z"), "z");
}

TEST(Oniguruma, IntervalsAreNeverPossessive) {
  EXPECT_EQ(matches(R"(a\p{N}{1,3}+)", "a12345"), "a12345");
  EXPECT_EQ(matches(R"((?:ab){2}+)", "ababababab"), "abababab");
  EXPECT_EQ(matches(R"(x{,2}y)", "xxxy"), "xxy");
  EXPECT_EQ(matches(R"(a{b)", "a{b"), "a{b");
  EXPECT_EQ(matches(R"(a++b)", "aab"), "aab");
}

TEST(Oniguruma, LinesAndDots) {
  EXPECT_EQ(matches(R"(^.)", "ab\ncd"), "a|c");
  EXPECT_EQ(matches(R"(b.)", "b\n"), "");
  EXPECT_EQ(matches(R"((?m:b.))", "b\n"), "b\n");
  EXPECT_EQ(matches(R"(\h+)", "xfF09 "), "fF09");
  EXPECT_EQ(matches("\\u0995", "\xE0\xA6\x95"), "\xE0\xA6\x95");
}

TEST(Oniguruma, EmptyMatchesMoveOn) {
  EXPECT_EQ(matches("x*", "axx\xE0\xA6\x95"), "xx|");
  EXPECT_EQ(matches("$", ""), "");
}

TEST(Oniguruma, RefusesWhatItDoesNotKnow) {
  for (const char* pattern :
       {"[a[b]]", "[a&&b]", R"([\W])", R"([\P{L}])", R"(\p{^L})", "a)", "[a", "\\", R"(\p{L)"}) {
    EXPECT_NE(error_of([&] { SplitRegex(pattern, "r"); }).find("r: regular expression: "),
              std::string::npos)
        << pattern;
  }
}

}  // namespace
}  // namespace zp
