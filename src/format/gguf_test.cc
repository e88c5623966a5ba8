#include "format/gguf.h"

#include <gtest/gtest.h>

#include <set>

#include "format/sample_files.h"

namespace zp::gguf {
namespace {

using sample::GgufTensor;
using sample::Raw;

constexpr std::int32_t kArray = 9;

std::string refusal_of(const std::string& file) {
  return sample::refusal([&] { read_header(sample::view(file), "x.gguf"); });
}
/// A file of these pairs alone.
std::string pairs_refusal(std::uint64_t count, const Raw& pairs) {
  return refusal_of(sample::gguf(count, pairs.bytes(), {}, {}));
}
/// A file of these tensors over 64 bytes of data.
std::string tensors_refusal(const std::vector<GgufTensor>& tensors) {
  return refusal_of(sample::gguf(0, {}, tensors, std::string(64, '\0')));
}

Header every_value() {
  Header header;
  header.pairs = {{"u8", std::uint8_t{200}},
                  {"i8", std::int8_t{-3}},
                  {"u16", std::uint16_t{60000}},
                  {"i16", std::int16_t{-300}},
                  {"u32", 4000000000U},
                  {"i32", -5},
                  {"f32", 1.5F},
                  {"bool", true},
                  {"string", std::string("a\0b", 3)},
                  {"u64", std::uint64_t{1} << 63},
                  {"i64", std::int64_t{-1} << 40},
                  {"f64", 0.1},
                  {"u8s", std::vector<std::uint8_t>{1, 2}},
                  {"i8s", std::vector<std::int8_t>{-1}},
                  {"u16s", std::vector<std::uint16_t>{1, 2}},
                  {"i16s", std::vector<std::int16_t>{1, -2}},
                  {"u32s", std::vector<std::uint32_t>{7}},
                  {"i32s", std::vector<std::int32_t>{7, -7}},
                  {"f32s", std::vector<float>{0.5F, -0.5F}},
                  {"bools", std::vector<bool>{true, false, true}},
                  {"strings", Strings{"a", "", "\xE2\x96\x81"}},
                  {"u64s", std::vector<std::uint64_t>{1}},
                  {"i64s", std::vector<std::int64_t>{-1}},
                  {"f64s", std::vector<double>{}}};
  return header;
}

TEST(Gguf, ReadsBackEveryValueItWrote) {
  Header header = every_value();
  const std::vector<std::byte> file = write_header(header);
  EXPECT_EQ(file.size() % 32, 0U);
  const Header read = read_header(file, "x");
  ASSERT_EQ(read.pairs.size(), header.pairs.size());
  for (std::size_t i = 0; i < read.pairs.size(); ++i) {
    EXPECT_EQ(read.pairs[i].key, header.pairs[i].key);
    EXPECT_EQ(read.pairs[i].value, header.pairs[i].value) << read.pairs[i].key;
  }
  EXPECT_EQ(std::get<std::uint32_t>(*read.find("u32")), 4000000000U);
  EXPECT_EQ(read.find("none"), nullptr);
}

TEST(Gguf, NumbersTheValueTypesAsTheFormatDoes) {
  const auto id_of = [](Value value) {
    Header header;
    header.pairs = {{"k", std::move(value)}};
    return static_cast<int>(write_header(header)[24 + 8 + 1]);
  };
  EXPECT_EQ(id_of(std::uint8_t{}), 0);
  EXPECT_EQ(id_of(float{}), 6);
  EXPECT_EQ(id_of(bool{}), 7);
  EXPECT_EQ(id_of(std::string()), 8);
  EXPECT_EQ(id_of(Strings{}), 9);
  EXPECT_EQ(id_of(std::uint64_t{}), 10);
  EXPECT_EQ(id_of(double{}), 12);
}

TEST(Gguf, ReadsBackTensorsInTheOrderOfTheData) {
  Header header;
  header.pairs = {{"general.alignment", std::uint32_t{64}}};
  header.tensors = {{"a", {2, 3, 64}, type_of_grid("q4_0")}, {"b", {5}, type_of_grid("fp32")}};
  std::vector<std::byte> file = write_header(header);
  EXPECT_EQ(file.size() % 64, 0U);
  EXPECT_EQ(header.tensors[0].bytes, 6 * 2 * 18);
  EXPECT_EQ(header.tensors[1].offset, 256);
  file.resize(file.size() + 256 + 20);
  const Header read = read_header(file, "x");
  EXPECT_EQ(read.alignment, 64);
  EXPECT_EQ(read.data_begin, header.data_begin);
  ASSERT_EQ(read.tensors.size(), 2U);
  EXPECT_EQ(read.tensors[0].shape, (std::vector<std::int64_t>{2, 3, 64}));
  EXPECT_EQ(read.tensors[0].type->name, "Q4_0");
  EXPECT_EQ(read.tensors[1].offset, 256);
  EXPECT_EQ(read.tensors[1].bytes, 20);
}

TEST(Gguf, KnowsEveryTypeOfGgmlOnce) {
  const std::set<std::int32_t> absent = {4, 5, 31, 32, 33, 36, 37, 38};
  for (std::int32_t id = 0; id <= 42; ++id)
    EXPECT_EQ(type_of_id(id) == nullptr, absent.contains(id)) << id;
  EXPECT_EQ(type_of_id(-1), nullptr);
  EXPECT_EQ(type_of_id(43), nullptr);
  EXPECT_EQ(type_of_grid("q6_k")->id, 14);
  EXPECT_EQ(type_of_grid("iq4_xs")->block_bytes, 136);
  EXPECT_EQ(type_of_grid(""), nullptr);
}

TEST(Gguf, RefusesEveryTruncation) {
  const Raw pairs = Raw()
                        .string("k")
                        .number<std::int32_t>(kArray)
                        .number<std::int32_t>(8)
                        .number<std::uint64_t>(1)
                        .string("abc");
  const std::string file = sample::gguf(1, pairs.bytes(), {{}}, std::string(16, 'x'));
  EXPECT_EQ(refusal_of(file), "accepted");
  for (std::size_t bytes = 0; bytes < file.size(); ++bytes) {
    const std::string text = refusal_of(file.substr(0, bytes));
    EXPECT_TRUE(text.starts_with("x.gguf: ")) << bytes << ": " << text;
    EXPECT_EQ(text.find('\n'), text.npos);
  }
}

TEST(Gguf, RefusesOtherVersions) {
  const auto of_version = [](std::uint32_t v) {
    return Raw().text("GGUF").number(v).number<std::uint64_t>(0).number<std::uint64_t>(0).bytes();
  };
  EXPECT_EQ(refusal_of(of_version(1)),
            "x.gguf: byte 8: wrong version: expected 2 or 3, little endian, found 1");
  EXPECT_EQ(
      refusal_of(of_version(0x03000000)),
      "x.gguf: byte 8: wrong version: expected 2 or 3, little endian, found a big-endian file");
  EXPECT_EQ(refusal_of("GGML" + of_version(3).substr(4)), "x.gguf: byte 4: no GGUF file");
}

TEST(Gguf, RefusesCountsThatTheFileCannotHold) {
  const auto counts = [](std::uint64_t tensors, std::uint64_t pairs) {
    return Raw()
        .text("GGUF")
        .number<std::uint32_t>(3)
        .number(tensors)
        .number(pairs)
        .text(std::string(64, '\0'))
        .bytes();
  };
  EXPECT_EQ(refusal_of(counts(1ULL << 60, 0)),
            "x.gguf: byte 16: the number of tensors is more than the file can hold: expected at "
            "most 2, found 1152921504606846976");
  EXPECT_EQ(refusal_of(counts(0, ~0ULL)),
            "x.gguf: byte 24: the number of metadata pairs is more than the file can hold: "
            "expected at most 4, found 18446744073709551615");
}

TEST(Gguf, RefusesStringsAndArraysLongerThanTheFile) {
  EXPECT_EQ(pairs_refusal(1, Raw().number<std::uint64_t>(1000).text(std::string(24, 'k'))),
            "x.gguf: byte 32: file ends inside a key: expected 1000 bytes, found 32 left");
  EXPECT_EQ(
      pairs_refusal(1, Raw().number<std::uint64_t>(~0ULL).text(std::string(24, 'k'))),
      "x.gguf: byte 32: a key too long: expected at most 65535 bytes, found 18446744073709551615");
  const auto array = [](std::int32_t type, std::uint64_t count) {
    return Raw().string("k").number<std::int32_t>(kArray).number(type).number(count);
  };
  EXPECT_EQ(pairs_refusal(1, array(6, 1ULL << 62)),
            "x.gguf: byte 49: array larger than the file or the limit: expected at most 3 "
            "elements, found 4611686018427387904");
  EXPECT_EQ(pairs_refusal(1, array(8, 2)),
            "x.gguf: byte 49: array larger than the file or the limit: expected at most 1 "
            "elements, found 2");
}

TEST(Gguf, RefusesNestedArraysAndUnknownValues) {
  EXPECT_EQ(pairs_refusal(1, Raw()
                                 .string("k")
                                 .number<std::int32_t>(kArray)
                                 .number<std::int32_t>(kArray)
                                 .number<std::uint64_t>(0)),
            "x.gguf: byte 41: array of arrays: expected types 0 to 8 and 10 to 12, found 9");
  EXPECT_EQ(pairs_refusal(1, Raw().string("k").number<std::int32_t>(13).number<std::uint64_t>(0)),
            "x.gguf: byte 37: unknown value type: expected types 0 to 8 and 10 to 12, found 13");
  EXPECT_EQ(pairs_refusal(1, Raw().string("k").number<std::int32_t>(-1).number<std::uint64_t>(0)),
            "x.gguf: byte 37: unknown value type: expected types 0 to 8 and 10 to 12, found -1");
  EXPECT_EQ(pairs_refusal(1, Raw().string("k").number<std::int32_t>(7).number<std::uint8_t>(2)),
            "x.gguf: byte 38: no boolean: expected 0 or 1, found 2");
}

TEST(Gguf, RefusesAKeyOrTensorThatStandsTwice) {
  Raw pairs;
  for (int i = 0; i < 2; ++i) pairs.string("k").number<std::int32_t>(0).number<std::uint8_t>(1);
  EXPECT_EQ(pairs_refusal(2, pairs), "x.gguf: byte 47: key stands twice: found \"k\"");
  EXPECT_EQ(tensors_refusal({{.name = "a"}, {.name = "a", .offset = 32}}),
            "x.gguf: tensor stands twice: found \"a\"");
}

TEST(Gguf, RefusesWrongAlignments) {
  const auto alignment = [](std::uint32_t bytes) {
    return pairs_refusal(1,
                         Raw().string("general.alignment").number<std::int32_t>(4).number(bytes));
  };
  EXPECT_EQ(alignment(64), "accepted");
  EXPECT_EQ(alignment(65536), "accepted");
  for (const std::uint32_t wrong : {0U, 4U, 48U, 131072U, 0x80000000U}) {
    EXPECT_EQ(alignment(wrong),
              "x.gguf: general.alignment: wrong alignment: expected a 32-bit power of two from 8 "
              "to 65536, found " +
                  std::to_string(wrong));
  }
  EXPECT_EQ(
      pairs_refusal(
          1, Raw().string("general.alignment").number<std::int32_t>(10).number<std::uint64_t>(32)),
      "x.gguf: general.alignment: wrong alignment: expected a 32-bit power of two from 8 to 65536, "
      "found another type");
}

TEST(Gguf, RefusesWrongDimensions) {
  EXPECT_EQ(tensors_refusal({{.ne = {}}}),
            "x.gguf: tensor \"a\": wrong number of dimensions: expected 1 to 4, found 0");
  EXPECT_EQ(tensors_refusal({{.ne = {1, 1, 1, 1, 1}}}),
            "x.gguf: tensor \"a\": wrong number of dimensions: expected 1 to 4, found 5");
  EXPECT_EQ(tensors_refusal({{.ne = {0}}}),
            "x.gguf: tensor \"a\": wrong dimension: expected 1 or more, found 0");
  EXPECT_EQ(tensors_refusal({{.ne = {4, -4}}}),
            "x.gguf: tensor \"a\": wrong dimension: expected 1 or more, found -4");
}

TEST(Gguf, RefusesSizesThatOverflow) {
  EXPECT_EQ(tensors_refusal({{.ne = {1LL << 32, 1LL << 32}}}),
            "x.gguf: tensor \"a\": size overflows 64 bits: found 4294967296 x 4294967296");
  // Each count fits, but not in bytes.
  EXPECT_EQ(tensors_refusal({{.ne = {1LL << 31, 1LL << 31}}}),
            "x.gguf: tensor \"a\": size overflows 64 bits: found 4611686018427387904 x 4");
  EXPECT_EQ(tensors_refusal({{.ne = {1LL << 62}}}),
            "x.gguf: tensor \"a\": size overflows 64 bits: found 4611686018427387904 x 4");
  EXPECT_EQ(tensors_refusal({{.ne = {1LL << 61}, .type = 24}}),
            "x.gguf: tensor \"a\": data outside the file: expected 2305843009213694016 bytes in "
            "the file, found 128");
}

TEST(Gguf, RefusesTypesItDoesNotKnow) {
  for (const std::int32_t id : {4, 33, 43, -1}) {
    EXPECT_EQ(tensors_refusal({{.type = id}}),
              "x.gguf: tensor \"a\": unknown or removed type: expected a ggml type, found " +
                  std::to_string(id));
  }
  EXPECT_EQ(tensors_refusal({{.ne = {48}, .type = 2}}),
            "x.gguf: tensor \"a\": row length is no whole number of blocks: expected a multiple of "
            "32, found 48");
}

TEST(Gguf, RefusesOffsetsThatAreNotTheRunningSum) {
  EXPECT_EQ(tensors_refusal({{.name = "a"}, {.name = "b", .offset = 32}}), "accepted");
  EXPECT_EQ(tensors_refusal({{.name = "a"}, {.name = "b", .offset = 16}}),
            "x.gguf: tensor \"b\": not behind the tensor before it: expected offset 32, found 16");
  EXPECT_EQ(tensors_refusal({{.name = "a"}, {.name = "b", .offset = 64}}),
            "x.gguf: tensor \"b\": not behind the tensor before it: expected offset 32, found 64");
  EXPECT_EQ(tensors_refusal({{.offset = 1ULL << 63}}),
            "x.gguf: tensor \"a\": wrong offset: expected below 2^63, found 9223372036854775808");
}

TEST(Gguf, RefusesDataOutsideTheFile) {
  EXPECT_EQ(
      tensors_refusal({{.ne = {17}}}),
      "x.gguf: tensor \"a\": data outside the file: expected 132 bytes in the file, found 128");
}

TEST(Gguf, RefusesNamesLongerThanTheRuntimesOwn) {
  EXPECT_EQ(tensors_refusal({{.name = std::string(63, 'n')}}), "accepted");
  EXPECT_EQ(tensors_refusal({{.name = std::string(64, 'n')}}),
            "x.gguf: byte 32: a tensor's name too long: expected at most 63 bytes, found 64");
}

}  // namespace
}  // namespace zp::gguf
