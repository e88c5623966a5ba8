// MXFP4 as gpt-oss is published: blocks and scales of one matrix.
#include "source/mxfp4.h"

#include <gtest/gtest.h>

#include <cmath>

#include "format/sample_files.h"
#include "source/sample_checkpoint.h"

namespace zp {
namespace {

constexpr const char* kMethod = R"({"quantization_config": {"quant_method": "mxfp4"}})";

class Sample : public sample::Sample {
 public:
  explicit Sample(const char* config = kMethod) : sample::Sample(config) {}

  std::string refusal() {
    return sample::refusal([&] { join_mxfp4(checkpoint); });
  }
};

std::vector<std::byte> bytes(std::size_t count) {
  std::vector<std::byte> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(static_cast<std::byte>(37 * i + 11));
  return all;
}

// Two experts of three rows of 64; the low half of a byte comes first.
TEST(Mxfp4, BlocksAndScalesAreOneTensor) {
  constexpr float kValues[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  Sample s;
  const std::vector<std::byte> codes = bytes(2 * 3 * 32);
  std::vector<std::byte> scales = bytes(2 * 3 * 2);
  for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = static_cast<std::byte>(23 * i);
  s.add("x_proj_scales", {2, 3, 2}, scales);
  s.add("x_proj_blocks", {2, 3, 2, 16}, codes);
  s.add("y", {1}, {});
  ASSERT_EQ(s.refusal(), "accepted");
  EXPECT_TRUE(s.checkpoint.config().empty());
  ASSERT_EQ(s.checkpoint.tensors.size(), 2u);
  const Tensor& x = *s.checkpoint.find("x_proj_blocks");
  EXPECT_EQ(x.type, "mxfp4");
  EXPECT_EQ(x.shape, (std::vector<std::int64_t>{2, 3, 64}));
  EXPECT_EQ(x.bytes, 2 * 3 * 34);
  std::vector<float> values(6 * 64);
  x.rows->read(0, 6, values.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto pair = std::to_integer<unsigned>(codes[i / 2]);
    const unsigned code = i % 2 == 0 ? pair & 15 : pair >> 4;
    const float value = (code < 8 ? 1.0f : -1.0f) * kValues[code % 8];
    EXPECT_EQ(values[i], std::ldexp(value, std::to_integer<int>(scales[i / 32]) - 127)) << i;
  }
}

TEST(Mxfp4, PartsThatDoNotFitAreRefusedInOneLine) {
  const auto refused = [](std::vector<std::int64_t> blocks, std::vector<std::int64_t> scales,
                          const char* type = "uint8") {
    Sample s;
    s.add("x_proj_blocks", std::move(blocks), bytes(32), type);
    s.add("x_proj_scales", std::move(scales), bytes(2));
    return s.refusal();
  };
  EXPECT_EQ(refused({1, 2, 16}, {1, 2}), "accepted");
  EXPECT_EQ(
      refused({1, 1, 16}, {1, 2}),
      "model: tensor \"x_proj_blocks\": no MXFP4 with its scales: expected uint8 of 1 x 2 x 16 "
      "beside uint8 of 1 x 2, found uint8 of 1 x 1 x 16 beside uint8 of 1 x 2");
  for (const auto& [blocks, scales] :
       {std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>{{1, 2, 16}, {2, 1}},
        {{1, 2, 8}, {1, 2}},
        {{2, 16}, {}},
        {{1, 2}, {1, 2}},
        {{1, 4, 16}, {1, 4}}}) {
    const std::string said = refused(blocks, scales);
    EXPECT_TRUE(said.starts_with("model: tensor \"x_proj_blocks\": ")) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos);
  }
  EXPECT_NE(refused({1, 2, 16}, {1, 2}, "int8").find("found int8"), std::string::npos);
}

TEST(Mxfp4, NeitherPartStandsAlone) {
  Sample blocks;
  blocks.add("x_proj_blocks", {1, 2, 16}, bytes(32));
  EXPECT_EQ(
      blocks.refusal(),
      "model: tensor \"x_proj_blocks\": half of a matrix in MXFP4: expected \"x_proj_scales\" beside it");
  Sample scales;
  scales.add("x_proj_scales", {1, 2}, bytes(2));
  EXPECT_EQ(
      scales.refusal(),
      "model: tensor \"x_proj_scales\": half of a matrix in MXFP4: expected \"x_proj_blocks\" beside it");
}

TEST(Mxfp4, OtherMethodsAndFloatsStayAsTheyAre) {
  Sample s(R"({"quantization_config": {"quant_method": "gptq"}})");
  s.add("x.weight", {4}, bytes(4));
  EXPECT_EQ(s.refusal(), "accepted");
  EXPECT_EQ(s.checkpoint.tensors.size(), 1u);
  EXPECT_FALSE(s.checkpoint.config().empty());
}

}  // namespace
}  // namespace zp
