#include "format/safetensors.h"

#include <gtest/gtest.h>

#include "format/sample_files.h"

namespace zp::safetensors {
namespace {

using sample::refusal;

std::string refusal_of(const std::string& file) {
  return refusal([&] { read_header(sample::view(file), "x.safetensors"); });
}
std::string refusal_of(std::string_view header, std::size_t data_bytes) {
  return refusal_of(sample::safetensors(header, std::string(data_bytes, '\0')));
}

TEST(Safetensors, ReadsNamesTypesShapesAndPlaces) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
      R"("none":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}} )";
  const std::string file = sample::safetensors(header, std::string(16, 'x'));
  const Header read = read_header(sample::view(file), "x");
  EXPECT_EQ(read.metadata.at("format"), "pt");
  ASSERT_EQ(read.tensors.size(), 3U);
  EXPECT_EQ(read.tensors[0].name, "a");
  EXPECT_EQ(read.tensors[1].name, "none");
  EXPECT_EQ(read.tensors[2].name, "b");
  EXPECT_EQ(read.tensors[2].dtype, DType::bf16);
  EXPECT_EQ(read.tensors[2].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(read.tensors[2].begin, static_cast<std::int64_t>(8 + header.size() + 4));
  EXPECT_EQ(read.tensors[2].bytes, 12);
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  Header header;
  header.metadata = {{"format", "pt"}, {"name", "\xC3\xA9\n"}};
  header.tensors = {{"x", DType::f16, {3, 5}}, {"none", DType::f32, {4, 0}}, {"y", DType::i64, {}}};
  std::vector<std::byte> file = write_header(header);
  EXPECT_EQ(file.size() % 8, 0U);
  EXPECT_EQ(header.data_begin, static_cast<std::int64_t>(file.size()));
  file.resize(file.size() + 38);
  const Header read = read_header(file, "x");
  EXPECT_EQ(read.metadata, header.metadata);
  ASSERT_EQ(read.tensors.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.tensors[i].name, header.tensors[i].name);
    EXPECT_EQ(read.tensors[i].begin, header.tensors[i].begin);
    EXPECT_EQ(read.tensors[i].bytes, header.tensors[i].bytes);
  }
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string file = sample::safetensors_sound();
  EXPECT_EQ(refusal_of(file), "accepted");
  for (std::size_t bytes = 0; bytes < file.size(); ++bytes) {
    const std::string text = refusal_of(file.substr(0, bytes));
    EXPECT_TRUE(text.starts_with("x.safetensors: ")) << bytes << ": " << text;
    EXPECT_EQ(text.find('\n'), text.npos);
  }
}

TEST(Safetensors, RefusesALengthOutsideTheFile) {
  EXPECT_EQ(refusal_of(sample::Raw().number<std::uint64_t>(100).text("{}").bytes()),
            "x.safetensors: byte 8: file ends inside the header: expected 100 bytes, found 2 left");
  EXPECT_EQ(refusal_of(sample::Raw().number<std::uint64_t>(100'000'001).text("{}").bytes()),
            "x.safetensors: header too long: expected at most 100000000 bytes, found 100000001");
  EXPECT_EQ(refusal_of(sample::Raw().number<std::uint64_t>(~0ULL).text("{}").bytes()),
            "x.safetensors: header too long: expected at most 100000000 bytes, found "
            "18446744073709551615");
}

TEST(Safetensors, RefusesAHeaderThatIsNoObject) {
  EXPECT_EQ(refusal_of("[]", 0), "x.safetensors: byte 8: no safetensors header: expected '{'");
  EXPECT_EQ(refusal_of(" {}", 0), "x.safetensors: byte 8: no safetensors header: expected '{'");
  EXPECT_EQ(refusal_of("{\"a\":}", 0),
            "x.safetensors: header: no valid JSON at byte 6: found \"\"a\":}\"");
  EXPECT_EQ(refusal_of(std::string("{}\0", 3), 0),
            "x.safetensors: header: no valid JSON at byte 3: found a zero byte");
}

TEST(Safetensors, RefusesDeepJson) {
  const std::string deep = "{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}";
  EXPECT_EQ(refusal_of(deep, 0),
            "x.safetensors: header: JSON nested too deeply: expected at most 128 levels");
}

TEST(Safetensors, RefusesATensorThatStandsTwice) {
  EXPECT_EQ(
      refusal_of(
          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
          2),
      "x.safetensors: header: key stands twice: found \"a\"");
}

TEST(Safetensors, RefusesOverlappingTensors) {
  EXPECT_EQ(
      refusal_of(
          R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
          6),
      "x.safetensors: tensor \"b\": overlaps the one before: expected data at 4, found 2");
}

TEST(Safetensors, RefusesAGapAndUnclaimedBytes) {
  EXPECT_EQ(
      refusal_of(
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})",
          4),
      "x.safetensors: tensor \"b\": leaves a gap before it: expected data at 2, found 3");
  EXPECT_EQ(refusal_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 3),
            "x.safetensors: bytes behind the last tensor: expected 63 bytes in the file, found 64");
}

TEST(Safetensors, RefusesOffsetsOutsideTheFile) {
  EXPECT_EQ(
      refusal_of(R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", 4),
      "x.safetensors: tensor \"a\": data outside the file: expected offsets up to 4, found [0,9]");
  EXPECT_EQ(
      refusal_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[3,2]}})", 4),
      "x.safetensors: tensor \"a\": data outside the file: expected offsets up to 4, found [3,2]");
  EXPECT_EQ(
      refusal_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551615]}})", 4),
      "x.safetensors: tensor \"a\": data_offsets: no size: expected an integer from 0 to 2^63 - 1, "
      "found 18446744073709551615");
}

TEST(Safetensors, RefusesShapesThatOverflowOrDontFit) {
  EXPECT_EQ(refusal_of(
                R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4),
            "x.safetensors: tensor \"a\": size overflows 64 bits: found 17179869184 x 4294967296");
  EXPECT_EQ(
      refusal_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}})", 4),
      "x.safetensors: tensor \"a\": offsets don't fit dtype and shape: expected 12 bytes, found 4");
  EXPECT_EQ(refusal_of(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4),
            "x.safetensors: tensor \"a\": shape: no size: expected an integer from 0 to 2^63 - 1, "
            "found -1");
  EXPECT_EQ(refusal_of(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4),
            "x.safetensors: tensor \"a\": shape: no size: expected an integer from 0 to 2^63 - 1, "
            "found 1.0");
}

TEST(Safetensors, RefusesWhatItDoesNotKnowByName) {
  EXPECT_EQ(refusal_of(R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", 1),
            "x.safetensors: tensor \"a\": unknown dtype: found \"F4\"");
  EXPECT_EQ(refusal_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}})", 1),
            "x.safetensors: tensor \"a\": unknown field: expected dtype, shape, data_offsets, "
            "found \"x\"");
  EXPECT_EQ(refusal_of(R"({"a":{"dtype":"U8","shape":[1]}})", 1),
            "x.safetensors: tensor \"a\": field missing: expected \"data_offsets\"");
  EXPECT_EQ(refusal_of(R"({"__metadata__":{"a":1}})", 0),
            "x.safetensors: __metadata__: \"a\": wrong type: expected a string, found number");
}

}  // namespace
}  // namespace zp::safetensors
