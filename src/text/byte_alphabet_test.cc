#include "text/byte_alphabet.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace zp {
namespace {

TEST(ByteAlphabet, SpellsEveryByteAsOneCharacterAndBack) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte));
    const std::string text = spell_bytes(bytes);
    std::size_t i = 0;
    next_code_point(text, i);
    EXPECT_EQ(i, text.size()) << byte;
    EXPECT_EQ(unspell_bytes(text), bytes) << byte;
  }
}

TEST(ByteAlphabet, SpellsAsGpt2Does) {
  EXPECT_EQ(spell_bytes(" a\n\x7F\xAD"),
            "\xC4\xA0"
            "a\xC4\x8A\xC4\xA1\xC5\x83");
}

TEST(ByteAlphabet, RefusesOtherCharacters) {
  EXPECT_EQ(unspell_bytes(" "), std::nullopt);
  EXPECT_EQ(unspell_bytes("\xE2\x96\x81"), std::nullopt);
  EXPECT_EQ(unspell_bytes("\xFF"), std::nullopt);
}

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(text, c);
    std::size_t i = 0;
    ASSERT_EQ(next_code_point(text, i), c);
    ASSERT_EQ(i, text.size());
  }
}

TEST(Utf8, RefusesOverlongSurrogateAndTruncatedForms) {
  EXPECT_TRUE(is_utf8("a\xC3\xA9\xE2\x96\x81\xF0\x9F\x98\x80"));
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x96",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace zp
