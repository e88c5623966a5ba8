#include "source/unread_files.h"

#include <gtest/gtest.h>

#include "format/sample_files.h"
#include "source/sample_pytorch.h"

namespace zp {
namespace {

std::string described(std::string_view file) { return describe_file(sample::view(file)); }
bool text(std::string_view file) { return may_be_text(sample::view(file)); }

std::string gguf_of_type(const std::string& type) {
  sample::Raw raw;
  raw.string("general.type").number<std::uint32_t>(8).string(type);
  return sample::gguf(1, raw.bytes(), {{}}, std::string(16, 'x'));
}

constexpr std::string_view kPointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";

TEST(UnreadFiles, AreNamedByTheirFirstBytes) {
  EXPECT_NE(described(kPointer).find("Git LFS pointer"), std::string::npos);
  EXPECT_EQ(described("<!DOCTYPE html><html>"), "a web page");
  EXPECT_EQ(described("\x1f\x8b\b"), "a gzip archive");
  EXPECT_EQ(described(std::string(257, 'x') + "ustar"), "a tar archive");
  EXPECT_EQ(described("{}"), "JSON");
  EXPECT_EQ(described("Once upon a time"), "text");
  EXPECT_EQ(described(std::string_view("\0\1\2", 3)), "");
  EXPECT_EQ(described(""), "");
  EXPECT_NE(described("zpstats\n").find("statistics"), std::string::npos);
  EXPECT_EQ(described(sample::pytorch_zip()), "a pytorch file");
  EXPECT_EQ(described(sample::safetensors_sound()), "a safetensors file");
}

TEST(UnreadFiles, GgufFilesThatAreNoModelSaySo) {
  EXPECT_NE(described(gguf_of_type("imatrix")).find("an imatrix"), std::string::npos);
  EXPECT_NE(described(gguf_of_type("adapter")).find("an adapter"), std::string::npos);
  EXPECT_EQ(described(gguf_of_type("model")), "a gguf file");
  EXPECT_EQ(described("GGUF"), "a gguf file");
}

TEST(UnreadFiles, AnImatrixWithoutAMarkIsKnownByItsFirstEntry) {
  sample::Raw raw;
  raw.number<std::int32_t>(1).number<std::int32_t>(4).text("name").number<std::int32_t>(1);
  EXPECT_NE(described(raw.bytes()).find("an imatrix"), std::string::npos);
}

TEST(UnreadFiles, TextIsWhatNothingElseIs) {
  EXPECT_TRUE(text("Once upon a time\r\n\t"));
  EXPECT_TRUE(text("{\"text\": \"a\"}"));
  EXPECT_TRUE(text("<html>"));
  EXPECT_FALSE(text(kPointer));
  EXPECT_FALSE(text("\x1f\x8b"));
  EXPECT_FALSE(text(sample::safetensors_sound()));
}

}  // namespace
}  // namespace zp
