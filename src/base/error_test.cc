#include "base/error.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

TEST(Error, NamesWhereWhatExpectedAndFound) {
  EXPECT_STREQ(Error("a.gguf", "wrong magic", "\"GGUF\"", "\"ABCD\"").what(),
               "a.gguf: wrong magic: expected \"GGUF\", found \"ABCD\"");
  EXPECT_STREQ(Error("a.gguf", "wrong magic", "", "\"ABCD\"").what(),
               "a.gguf: wrong magic: found \"ABCD\"");
  EXPECT_STREQ(Error("a.gguf", "wrong magic", "\"GGUF\"").what(),
               "a.gguf: wrong magic: expected \"GGUF\"");
  EXPECT_STREQ(Error("a.gguf", "wrong magic").what(), "a.gguf: wrong magic");
  EXPECT_STREQ(Error("", "no input").what(), "no input");
}

TEST(Error, IsOneLineWhateverTheFileSays) {
  const Error error("dir/a\nb\r\x1B[2J", "bad\tname", "", "x\x7F\xC2\x85\xE2\x80\xA8\xC2\x9B");
  EXPECT_STREQ(error.what(), "dir/a?b??[2J: bad?name: found x????");
  EXPECT_EQ(error.parts().where, "dir/a\nb\r\x1B[2J");
}

TEST(Error, CutsEveryPart) {
  const Error error(std::string(5000, 'w'), std::string(5000, 'x'), std::string(5000, 'y'),
                    std::string(5000, 'z'));
  EXPECT_LT(std::string(error.what()).size(), 2100u);
  EXPECT_NE(std::string(error.what()).find("..., found zz"), std::string::npos);
}

TEST(UsageError, IsCaughtAsAnError) {
  try {
    throw UsageError("`to`", "unknown container");
  } catch (const Error& e) {
    EXPECT_NE(dynamic_cast<const UsageError*>(&e), nullptr);
  }
}

TEST(Printable, KeepsTextInAnyScript) {
  const std::string text = "na\xC3\xAFve \xE0\xA6\xAC\xE0\xA6\xBE \xE2\x96\x81 \xF0\x9F\x98\x80";
  EXPECT_EQ(printable(text), text);
}

TEST(Printable, ReplacesBrokenUtf8) {
  EXPECT_EQ(printable("a\xFFz"), "a?z");
  EXPECT_EQ(printable("a\x80z"), "a?z");
  EXPECT_EQ(printable("a\xC3"), "a?");               // cut short
  EXPECT_EQ(printable("a\xC3z"), "a?z");             // no continuation
  EXPECT_EQ(printable("\xC0\xAF"), "??");            // overlong
  EXPECT_EQ(printable("\xE0\x80\xAF"), "???");       // overlong
  EXPECT_EQ(printable("\xF0\x80\x80\xAF"), "????");  // overlong
  EXPECT_EQ(printable("\xED\xA0\x80"), "???");       // a surrogate
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
}

TEST(Printable, ReplacesMarksThatReorderTheLine) {
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b"),
            "a?b");  // U+202E
  EXPECT_EQ(printable("a\xE2\x81\xA6"
                      "b"),
            "a?b");  // U+2066
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcdef...");
  EXPECT_EQ(printable("abcde\xC3\xAF", 6), "abcde...");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
}

}  // namespace
}  // namespace zp
