// Weights that GPTQ, AWQ, compressed-tensors and others have stored: decoded as their formulas say,
// from words that are packed here element by element.
#include "source/weight_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/mapped_file.h"
#include "format/sample_files.h"
#include "number/half.h"
#include "source/sample_checkpoint.h"

namespace zp {
namespace {

using sample::Sample;
using Words = std::vector<std::uint32_t>;

constexpr std::size_t kRows = 32, kCols = 64, kGroup = 16, kGroups = kCols / kGroup;

// Numbers without a pattern.
std::uint32_t draw(std::size_t i) { return static_cast<std::uint32_t>(i * 2654435761U) >> 9; }

/// Linear quantization, element by element.
struct Linear {
  explicit Linear(unsigned width, bool with_zeros = true) : bits(width) {
    const std::uint32_t mask = (1U << bits) - 1;
    for (std::size_t i = 0; i < kRows * kCols; ++i) q.push_back(draw(i) & mask);
    for (std::size_t i = 0; i < kRows * kGroups; ++i) {
      z.push_back(with_zeros ? draw(i + 7) & mask : 1U << (bits - 1));
      s.push_back(0.01f * static_cast<float>(1 + draw(i) % 500));
    }
    for (std::size_t c = 0; c < kCols; ++c) group.push_back(static_cast<std::int32_t>(c / kGroup));
  }

  std::uint32_t code(std::size_t r, std::size_t c) const { return q[r * kCols + c]; }
  std::uint32_t zero(std::size_t r, std::size_t g) const { return z[r * kGroups + g]; }
  float scale(std::size_t r, std::size_t g) const { return fp16_to_float(half(r, g)); }
  std::uint16_t half(std::size_t r, std::size_t g) const {
    return float_to_fp16(s[r * kGroups + g]);
  }
  float weight(std::size_t r, std::size_t c) const {
    const auto g = static_cast<std::size_t>(group[c]);
    return scale(r, g) * (static_cast<float>(code(r, c)) - static_cast<float>(zero(r, g)));
  }

  unsigned bits;
  std::vector<std::uint32_t> q, z;
  std::vector<float> s;
  std::vector<std::int32_t> group;
};

/// Element `at` of a run of elements whose words lie `step` apart from words[first] on: bit by bit.
void put(Words& words, std::size_t first, std::size_t step, std::size_t at, unsigned bits,
         std::uint32_t value) {
  for (unsigned bit = 0; bit < bits; ++bit) {
    const std::size_t place = at * bits + bit;
    words[first + place / 32 * step] |= (value >> bit & 1) << (place % 32);
  }
}

void expect_weights(Sample& s, const Linear& linear) {
  EXPECT_EQ(sample::refusal([&] { join_weight_layouts(s.checkpoint); }), "accepted");
  const Tensor* x = s.checkpoint.find("x.weight");
  ASSERT_NE(x, nullptr);
  ASSERT_EQ(x->shape, (std::vector<std::int64_t>{kRows, kCols}));
  std::vector<float> values(kRows * kCols);
  x->rows->read(0, kRows, values.data());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(values[i], linear.weight(i / kCols, i % kCols)) << i;
  std::vector<float> some(3 * kCols);  // from the middle of a word
  x->rows->read(5, 3, some.data());
  EXPECT_TRUE(std::equal(some.begin(), some.end(), values.begin() + 5 * kCols));
  EXPECT_EQ(s.checkpoint.tensors.size(), 1u);
  EXPECT_TRUE(s.checkpoint.config().empty());
}

/// As GPTQ lays it out; version 1 stores one less than the zero-point.
void add_gptq(Sample& s, const Linear& linear, int version, bool with_index) {
  const unsigned bits = linear.bits;
  const std::size_t along_cols = kCols * bits / 32, along_rows = kRows * bits / 32;
  Words codes(along_cols * kRows), zeros(kGroups * along_rows);
  std::vector<std::uint16_t> scales(kGroups * kRows);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t c = 0; c < kCols; ++c) put(codes, r, kRows, c, bits, linear.code(r, c));
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::uint32_t less = version == 1 ? 1 : 0;
      put(zeros, g * along_rows, 1, r, bits, linear.zero(r, g) - less);
      scales[g * kRows + r] = linear.half(r, g);
    }
  }
  s.add_values("x.qweight", {std::int64_t(along_cols), kRows}, codes, "int32");
  s.add_values("x.qzeros", {kGroups, std::int64_t(along_rows)}, zeros, "int32");
  s.add_values("x.scales", {kGroups, kRows}, scales, "fp16");
  if (with_index) s.add_values("x.g_idx", {kCols}, linear.group, "int32");
}

std::string gptq_config(unsigned bits, const char* more = "") {
  return R"({"quantization_config": {"quant_method": "gptq", "group_size": 16, "bits": )" +
         std::to_string(bits) + more + "}}";
}

TEST(WeightLayout, GptqInBothVersionsAndAllBits) {
  for (const unsigned bits : {2U, 3U, 4U, 8U}) {
    const Linear linear(bits);
    Sample first(gptq_config(bits).c_str());
    add_gptq(first, linear, 1, false);
    expect_weights(first, linear);
    // None is counted where words hold no whole ones.
    const auto wrapped = std::ranges::count(linear.z, 0U);
    ASSERT_EQ(first.checkpoint.notes.size(), wrapped > 0 && bits != 3 ? 1u : 0u);
    for (const std::string& note : first.checkpoint.notes)
      EXPECT_TRUE(note.starts_with(std::to_string(wrapped) + " zero-points of 0 wrapped")) << note;
    Sample second(gptq_config(bits, R"(, "checkpoint_format": "gptq_v2")").c_str());
    add_gptq(second, linear, 2, true);
    expect_weights(second, linear);
    EXPECT_TRUE(second.checkpoint.notes.empty());
  }
}

// As GPTQ, with another name; it has others' layouts, too.
TEST(WeightLayout, AutoRound) {
  const Linear linear(4);
  const auto config = [](const char* more) {
    return std::string(R"({"quantization_config": {"bits": 4, "group_size": 16, )") + more + "}}";
  };
  for (const char* stated :
       {R"("quant_method": "auto-round", "packing_format": "auto_round:auto_gptq")",
        R"("quant_method": "intel/auto-round", "backend": "auto_round:gptq:exllamav2")"}) {
    Sample s(config(stated).c_str());
    add_gptq(s, linear, 1, false);
    expect_weights(s, linear);
  }
  Sample other(
      config(R"("quant_method": "auto-round", "packing_format": "auto_round:fp8")").c_str());
  add_gptq(other, linear, 1, false);
  EXPECT_NE(sample::refusal([&] { join_weight_layouts(other.checkpoint); })
                .find("\"packing_format\": not supported: expected one of gptq, awq or "
                      "llm_compressor, found \"auto_round:fp8\""),
            std::string::npos);
}

// Columns ordered by their importance: each names its group.
TEST(WeightLayout, GptqWithColumnsInAnotherOrder) {
  Linear linear(4);
  for (std::size_t c = 0; c < kCols; ++c)
    linear.group[c] = static_cast<std::int32_t>((c * 29 + 5) % kCols / kGroup);
  Sample s(gptq_config(4).c_str());
  add_gptq(s, linear, 1, true);
  expect_weights(s, linear);
}

TEST(WeightLayout, Awq) {
  constexpr std::array<std::size_t, 8> kOrder = {0, 2, 4, 6, 1, 3, 5, 7};
  const Linear linear(4);
  Words codes(kCols * kRows / 8), zeros(kGroups * kRows / 8);
  std::vector<std::uint16_t> scales(kGroups * kRows);
  for (std::size_t word = 0; word < kRows / 8; ++word) {
    for (std::size_t p = 0; p < 8; ++p) {
      const std::size_t r = 8 * word + kOrder[p];
      for (std::size_t c = 0; c < kCols; ++c)
        put(codes, c * kRows / 8 + word, 1, p, 4, linear.code(r, c));
      for (std::size_t g = 0; g < kGroups; ++g) {
        put(zeros, g * kRows / 8 + word, 1, p, 4, linear.zero(r, g));
        scales[g * kRows + r] = linear.half(r, g);
      }
    }
  }
  Sample s(R"({"quantization_config": {"quant_method": "awq", "bits": 4, "version": "gemm"}})");
  s.add_values("x.qweight", {kCols, kRows / 8}, codes, "int32");
  s.add_values("x.qzeros", {kGroups, kRows / 8}, zeros, "int32");
  s.add_values("x.scales", {kGroups, kRows}, scales, "fp16");
  expect_weights(s, linear);
}

constexpr const char* kCompressed =
    R"({"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized"}})";

TEST(WeightLayout, PackedCompressedTensors) {
  for (const unsigned bits : {3U, 4U, 8U}) {
    for (const bool with_zeros : {false, true}) {
      const Linear linear(bits, with_zeros);
      const std::size_t along_cols = kCols * bits / 32, along_rows = kRows * bits / 32;
      Words codes(kRows * along_cols), zeros(along_rows * kGroups);
      std::vector<std::uint16_t> scales(kRows * kGroups);
      for (std::size_t r = 0; r < kRows; ++r) {
        for (std::size_t c = 0; c < kCols; ++c)
          put(codes, r * along_cols, 1, c, bits, linear.code(r, c));
        for (std::size_t g = 0; g < kGroups; ++g) {
          put(zeros, g, kGroups, r, bits, linear.zero(r, g));
          scales[r * kGroups + g] = linear.half(r, g);
        }
      }
      Sample s(kCompressed);
      s.add_values("x.weight_packed", {kRows, std::int64_t(along_cols)}, codes, "int32");
      s.add_values("x.weight_scale", {kRows, kGroups}, scales, "fp16");
      s.add_values<std::int64_t>("x.weight_shape", {2}, {kRows, kCols}, "int64");
      if (with_zeros)
        s.add_values("x.weight_zero_point", {std::int64_t(along_rows), kGroups}, zeros, "int32");
      expect_weights(s, linear);
    }
  }
}

TEST(WeightLayout, BytesOfCompressedTensors) {
  Linear linear(8, false);
  Sample s(kCompressed);
  std::vector<std::int8_t> codes;
  std::vector<std::uint16_t> scales;
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t c = 0; c < kCols; ++c)
      codes.push_back(static_cast<std::int8_t>(static_cast<int>(linear.code(r, c)) - 128));
    scales.push_back(linear.half(r, 0));
  }
  for (std::int32_t& g : linear.group) g = 0;
  s.add_values("x.weight", {kRows, kCols}, codes, "int8");
  s.add_values("x.weight_scale", {kRows, 1}, scales, "fp16");
  s.add_values<float>("x.input_scale", {1}, {1.0f}, "fp32");
  expect_weights(s, linear);
  ASSERT_EQ(s.checkpoint.notes.size(), 1u);
  EXPECT_EQ(s.checkpoint.notes[0], "left out: 1 scales of activations; weights alone are read");
}

TEST(WeightLayout, QuantoOfEightBits) {
  constexpr const char* kQuanto = R"({"quantization_config": {"quant_method": "quanto"}})";
  Sample s(kQuanto);
  s.add_values<std::int8_t>("x.weight._data", {2, 2}, {1, -2, 127, -128}, "int8");
  s.add_values<float>("x.weight._scale", {2, 1}, {0.5f, 0.25f}, "fp32");
  s.add_values<float>("x.input_scale", {}, {1.0f}, "fp32");
  ASSERT_EQ(sample::refusal([&] { join_weight_layouts(s.checkpoint); }), "accepted");
  ASSERT_EQ(s.checkpoint.tensors.size(), 1u);
  std::array<float, 4> values{};
  s.checkpoint.find("x.weight")->rows->read(0, 2, values.data());
  EXPECT_EQ(values, (std::array<float, 4>{0.5f, -1, 31.75f, -32}));

  Sample packed(kQuanto);
  packed.add("x.weight._data._data", {2, 2}, std::vector<std::byte>(4));
  packed.add_values<float>("x.weight._scale", {4, 1}, std::vector<float>(4), "fp32");
  EXPECT_EQ(
      sample::refusal([&] { join_weight_layouts(packed.checkpoint); }),
      "model: module \"x\": not supported: expected codes of 8 bits, found packed ones, uint8 of "
      "2 x 2");
}

// FP8 (E4M3) of 1, 1.5 and -2, in turns.
std::vector<std::byte> fp8(std::size_t count) {
  constexpr std::array<std::byte, 3> kCodes = {std::byte{0x38}, std::byte{0x3c}, std::byte{0xc0}};
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(kCodes[i % kCodes.size()]);
  return bytes;
}
constexpr std::array<float, 3> kFp8 = {1, 1.5f, -2};

TEST(WeightLayout, Fp8TimesScalesOfBlocksRowsOrAll) {
  struct Case {
    std::vector<std::int64_t> shape;
    std::size_t row_block, col_block;
  };
  for (const Case& k : {Case{{2, 3}, 16, 24}, Case{{kRows, 1}, 1, kCols}, Case{{kRows}, 1, kCols},
                        Case{{1}, kRows, kCols}, Case{{}, kRows, kCols}}) {
    Sample s(R"({"quantization_config": {"quant_method": "fp8", "weight_block_size": [16, 24]}})");
    std::vector<float> scales;
    std::size_t count = 1;
    for (const std::int64_t n : k.shape) count *= static_cast<std::size_t>(n);
    for (std::size_t i = 0; i < count; ++i) scales.push_back(0.1f * static_cast<float>(i + 1));
    s.add("x.weight", {kRows, kCols}, fp8(kRows * kCols), "fp8_e4m3");
    s.add_values("x.weight_scale_inv", k.shape, scales, "fp32");
    ASSERT_EQ(sample::refusal([&] { join_weight_layouts(s.checkpoint); }), "accepted");
    const Tensor& x = *s.checkpoint.find("x.weight");
    EXPECT_EQ(x.type, "fp8_e4m3:scaled");
    std::vector<float> values(kRows * kCols);
    x.rows->read(0, kRows, values.data());
    const std::size_t across = (kCols + k.col_block - 1) / k.col_block;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t scale = i / kCols / k.row_block * across + i % kCols / k.col_block;
      ASSERT_EQ(values[i], kFp8[i % 3] * scales[scale]) << i;
    }
  }
}

TEST(WeightLayout, ExpertsInFp8) {
  constexpr std::int64_t kExperts = 3;
  constexpr const char* kConfig =
      R"({"quantization_config": {"quant_method": "fp8", "weight_block_size": [16, 24]}})";
  const std::size_t matrix = kRows * kCols;
  struct Case {
    std::vector<std::int64_t> shape;
    std::size_t row_block, col_block;
  };
  for (const Case& k : {Case{{kExperts, 2, 3}, 16, 24}, Case{{kExperts, 1, 1}, kRows, kCols},
                        Case{{kExperts}, kRows, kCols}}) {
    Sample s(kConfig);
    std::vector<float> scales;
    const std::size_t across = (kCols + k.col_block - 1) / k.col_block;
    const std::size_t count = kExperts * kRows / k.row_block * across;
    for (std::size_t i = 0; i < count; ++i) scales.push_back(0.1f * static_cast<float>(i + 1));
    s.add("x.gate_up_proj", {kExperts, kRows, kCols}, fp8(kExperts * matrix), "fp8_e4m3");
    s.add_values("x.gate_up_proj_scale_inv", k.shape, scales, "fp32");
    s.add_values<float>("x.gate_up_proj_activation_scale", {kExperts}, {1, 1, 1}, "fp32");
    ASSERT_EQ(sample::refusal([&] { join_weight_layouts(s.checkpoint); }), "accepted");
    ASSERT_EQ(s.checkpoint.tensors.size(), 1u);
    const Tensor& x = *s.checkpoint.find("x.gate_up_proj");
    EXPECT_EQ(x.shape, (std::vector<std::int64_t>{kExperts, kRows, kCols}));
    std::vector<float> values(kExperts * matrix);
    x.rows->read(0, kExperts * kRows, values.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t scale = i / kCols / k.row_block * across + i % kCols / k.col_block;
      ASSERT_EQ(values[i], kFp8[i % 3] * scales[scale]) << i;
    }
  }
  Sample wrong(kConfig);
  wrong.add("x.down_proj", {kExperts, kRows, kCols}, fp8(kExperts * matrix), "fp8_e4m3");
  wrong.add_values<float>("x.down_proj_scale_inv", {2}, {1, 1}, "fp32");
  EXPECT_EQ(sample::refusal([&] { join_weight_layouts(wrong.checkpoint); }),
            "model: tensor \"x.down_proj\": scales don't fit the experts: expected 3 x 1 x 1, or "
            "3 x 2 x 3 of whole blocks, found fp32 of 2");
}

// Codes 2 (1.0) and 13 (-3.0) in each byte; E4M3's 1 and 1.5 as scales.
TEST(WeightLayout, Nvfp4OfTwoPrograms) {
  const auto values_of = [](Sample& s) {
    EXPECT_EQ(sample::refusal([&] { join_weight_layouts(s.checkpoint); }), "accepted");
    std::vector<float> values(32);
    s.checkpoint.find("x.weight")->rows->read(0, 1, values.data());
    return values;
  };
  const std::vector<std::byte> codes(16, std::byte{0xd2});
  const std::vector<std::byte> scales = {std::byte{0x38}, std::byte{0x3c}};
  Sample theirs(kCompressed);
  theirs.add("x.weight_packed", {1, 16}, codes);
  theirs.add("x.weight_scale", {1, 2}, scales, "fp8_e4m3");
  theirs.add_values<float>("x.weight_global_scale", {1}, {4.0f}, "fp32");
  Sample nvidia(R"({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}})");
  nvidia.add("x.weight", {1, 16}, codes);
  nvidia.add("x.weight_scale", {1, 2}, scales, "fp8_e4m3");
  nvidia.add_values<float>("x.weight_scale_2", {}, {0.25f}, "fp32");
  for (Sample* s : {&theirs, &nvidia}) {
    const std::vector<float> values = values_of(*s);
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(values[i], (i % 2 == 0 ? 1.0f : -3.0f) * (i < 16 ? 1.0f : 1.5f) / 4) << i;
  }
}

TEST(WeightLayout, MicroscaledCompressedTensors) {
  Sample s(kCompressed);
  s.add("x.weight_packed", {1, 16}, std::vector<std::byte>(16, std::byte{0xd2}));
  s.add("x.weight_scale", {1, 1}, {std::byte{126}});
  s.add("y.weight", {1, 32}, fp8(32), "fp8_e4m3");
  s.add("y.weight_scale", {1, 1}, {std::byte{128}});
  ASSERT_EQ(sample::refusal([&] { join_weight_layouts(s.checkpoint); }), "accepted");
  std::vector<float> x(32), y(32);
  s.checkpoint.find("x.weight")->rows->read(0, 1, x.data());
  s.checkpoint.find("y.weight")->rows->read(0, 1, y.data());
  for (std::size_t i = 0; i < 32; ++i) {
    EXPECT_EQ(x[i], (i % 2 == 0 ? 1.0f : -3.0f) / 2) << i;
    EXPECT_EQ(y[i], kFp8[i % 3] * 2) << i;
  }
}

std::string refused(Sample& s) {
  const std::string said = sample::refusal([&] { join_weight_layouts(s.checkpoint); });
  EXPECT_EQ(said.find('\n'), std::string::npos);
  return said;
}

TEST(WeightLayout, PartsThatDoNotFitAreRefusedInOneLine) {
  const Linear linear(4);
  Sample group(gptq_config(4).c_str());
  Linear beyond = linear;
  beyond.group[3] = kGroups;
  add_gptq(group, beyond, 1, true);
  EXPECT_EQ(refused(group), "model: module \"x\": a column of no group: expected 0 to 3, found 4");

  Sample bits(gptq_config(9).c_str());
  add_gptq(bits, linear, 1, false);
  EXPECT_EQ(refused(bits), "model: module \"x\": not supported: expected 2 to 8 bits, found 9");

  Sample version(gptq_config(4, R"(, "checkpoint_format": "marlin")").c_str());
  add_gptq(version, linear, 1, false);
  EXPECT_NE(refused(version).find("\"checkpoint_format\": not supported"), std::string::npos);

  Sample alone(gptq_config(4).c_str());
  alone.add_values("x.qweight", {1, 1}, Words(1), "int32");
  EXPECT_EQ(refused(alone),
            "model: module \"x\": part of a quantized matrix missing: expected \"qzeros\"");

  Sample twice(gptq_config(4).c_str());
  add_gptq(twice, linear, 1, false);
  twice.add_values<float>("x.weight", {1}, {1.0f}, "fp32");
  EXPECT_EQ(refused(twice),
            "model: module \"x\": has a weight beside its quantized one: expected one of the two");

  Sample scales(R"({"quantization_config": {"quant_method": "fp8"}})");
  scales.add("x.weight", {kRows, kCols}, fp8(kRows * kCols), "fp8_e4m3");
  scales.add_values("x.weight_scale_inv", {2, 2}, std::vector<float>(4), "fp32");
  EXPECT_EQ(refused(scales),
            "model: module \"x\": \"x.weight_scale_inv\": doesn't fit its module: expected one "
            "scale, 32, or 1 x 1, found fp32 of 2 x 2");

  Sample shape(kCompressed);
  shape.add_values("x.weight_packed", {1, 1}, Words(1), "int32");
  shape.add_values("x.weight_scale", {1, 1}, std::vector<std::uint16_t>(1), "fp16");
  shape.add_values<std::int64_t>("x.weight_shape", {2}, {1, std::int64_t{1} << 62}, "int64");
  EXPECT_NE(refused(shape).find("not supported: expected 2 to 8 bits"), std::string::npos);
}

// The handmade files that a fuzz target replays, each wrong in the way its name says: the config's
// statement, a line, and the tensors.
TEST(WeightLayout, WrongFoldersAreRefusedInOneLine) {
  const std::set<std::string> harmless = {"no-scales-at-all", "config-is-an-array"};
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("fuzz/regression/weight_layout")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("found-")) continue;
    const MappedFile file(entry.path());
    const std::string text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    const std::size_t end = text.find('\n');
    Sample s(("{\"quantization_config\": " + text.substr(0, end) + "}").c_str());
    source_kind_of(file.bytes().subspan(end + 1))
        ->read(file.bytes().subspan(end + 1), "model", s.checkpoint);
    const std::string said = refused(s);
    EXPECT_EQ(said == "accepted", harmless.contains(name)) << name << ": " << said;
    ++files;
  }
  EXPECT_GT(files, 30);
}

TEST(WeightLayout, OtherMethodsStayAsTheyAre) {
  Sample s(R"({"quantization_config": {"quant_method": "aqlm"}})");
  s.add("x.codes", {4}, std::vector<std::byte>(4));
  EXPECT_EQ(refused(s), "accepted");
  EXPECT_EQ(s.checkpoint.tensors.size(), 1u);
  EXPECT_FALSE(s.checkpoint.config().empty());
}

}  // namespace
}  // namespace zp
