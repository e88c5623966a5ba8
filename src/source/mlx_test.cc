// MLX folders whose config.json and tensors say the same, or don't.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "format/sample_files.h"
#include "source/checkpoint.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

/// One matrix of two rows: u32 words of codes a row, scales of a type, biases or none.
std::string matrix(std::int64_t words, const std::string& scale_type, std::int64_t scales,
                   bool biases) {
  const std::int64_t bytes = scale_type == "U8" ? 1 : 4;
  const std::int64_t codes = 2 * words * 4, each = 2 * scales * bytes;
  const auto entry = [&](const char* part, const std::string& type, std::int64_t cols,
                         std::int64_t begin, std::int64_t end) {
    return "\"x." + std::string(part) + R"(":{"dtype":")" + type + R"(","shape":[2,)" +
           std::to_string(cols) + R"(],"data_offsets":[)" + std::to_string(begin) + "," +
           std::to_string(end) + "]}";
  };
  std::string header = "{" + entry("weight", "U32", words, 0, codes) + "," +
                       entry("scales", scale_type, scales, codes, codes + each);
  if (biases) header += "," + entry("biases", scale_type, scales, codes + each, codes + 2 * each);
  return sample::safetensors(
      header + "}", std::string(static_cast<std::size_t>(codes + (biases ? 2 : 1) * each), '@'));
}

class MlxSource : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("zp_mlx_" + std::string(test->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// The grid that x.weight is read in, or the refusal.
  std::string read(const std::string& tensors, const std::string& config) const {
    std::ofstream(folder_ / "model.safetensors", std::ios::binary) << tensors;
    std::ofstream(folder_ / "config.json") << config;
    std::string grid;
    const std::string refusal = sample::refusal([&] {
      const Checkpoint checkpoint = open_checkpoint(folder_);
      EXPECT_EQ(checkpoint.tensors.size(), 1u);
      grid = checkpoint.tensors[0].type;
    });
    return refusal == "accepted" ? grid : refusal;
  }
  void refused(const std::string& tensors, const std::string& config,
               const std::string& said) const {
    const std::string refusal = read(tensors, config);
    EXPECT_NE(refusal.find(said), std::string::npos) << config << ": " << refusal;
    EXPECT_EQ(refusal.find('\n'), std::string::npos);
  }

  fs::path folder_;
};

const std::string kAffine = R"({"quantization": {"group_size": 64, "bits": 4}})";

TEST_F(MlxSource, ReadsEveryModeByItsWords) {
  EXPECT_EQ(read(matrix(16, "F32", 2, true), kAffine), "int4:g64:min:s32");
  const auto of = [](const char* mode, int group, int bits) {
    return R"({"quantization": {"group_size": )" + std::to_string(group) + R"(, "bits": )" +
           std::to_string(bits) + R"(, "mode": ")" + mode + "\"}}";
  };
  EXPECT_EQ(read(matrix(16, "U8", 4, false), of("mxfp4", 32, 4)), "mxfp4");
  EXPECT_EQ(read(matrix(32, "U8", 4, false), of("mxfp8", 32, 8)), "mxfp8");
  EXPECT_EQ(read(matrix(16, "U8", 8, false), of("nvfp4", 16, 4)), "nvfp4");
  refused(matrix(16, "U8", 8, false), of("mxfp5", 16, 4), "affine, mxfp4, mxfp8, nvfp4");
  refused(matrix(16, "U8", 8, false), of("nvfp4", 32, 4), "16 in mode nvfp4");
}

TEST_F(MlxSource, WhatIsSaidOfAPathCounts) {
  const auto with = [](const std::string& own) {
    return R"({"quantization": {"group_size": 64, "bits": 4, "x": )" + own + "}}";
  };
  EXPECT_EQ(read(matrix(16, "U8", 8, false), with(R"({"mode": "nvfp4"})")), "nvfp4");
  EXPECT_EQ(read(matrix(8, "F32", 4, true), with(R"({"group_size": 32, "bits": 2})")),
            "int2:g32:min:s32");
  EXPECT_EQ(read(matrix(16, "F32", 2, true), with("true")), "int4:g64:min:s32");
  refused(matrix(16, "F32", 2, true), with("false"), "not quantized, but the tensor has scales");
  refused(matrix(16, "U8", 8, false), with(R"({"mode": "nvfp4", "global_scale": true})"),
          "global_scale");
}

TEST_F(MlxSource, OfAMatrixThatNoPathNamesTheTensorsCount) {
  EXPECT_EQ(read(matrix(16, "U8", 8, false), kAffine), "nvfp4");
  EXPECT_EQ(read(matrix(16, "U8", 4, false), kAffine), "mxfp4");
  EXPECT_EQ(read(matrix(32, "U8", 4, false), kAffine), "mxfp8");
  refused(matrix(16, "U8", 3, false), kAffine, "codes and scales are of different matrices");
}

TEST_F(MlxSource, RefusesPartsThatDontFit) {
  refused(matrix(16, "F32", 2, false), kAffine, "scales and biases of one floating type");
  refused(matrix(16, "U8", 8, true), R"({"quantization": {"mode": "nvfp4"}})", "no biases");
  refused(matrix(16, "F32", 8, true), R"({"quantization": {"mode": "nvfp4"}})",
          "codes and scales are of different matrices");
}

TEST_F(MlxSource, RefusesTwoWordsThatContradict) {
  const std::string tensors = matrix(16, "F32", 2, true);
  const std::string one = R"({"group_size": 64, "bits": 4})";
  const std::string other = R"({"group_size": 32, "bits": 8})";
  EXPECT_EQ(
      read(tensors, R"({"quantization": )" + one + R"(, "quantization_config": )" + one + "}"),
      "int4:g64:min:s32");
  refused(tensors, R"({"quantization": )" + one + R"(, "quantization_config": )" + other + "}",
          "contradict each other");
  // What the model was made of may have left its own.
  EXPECT_EQ(read(tensors, R"({"quantization": )" + one +
                              R"(, "quantization_config": {"quant_method": "fp8"}})"),
            "int4:g64:min:s32");
}

}  // namespace
}  // namespace zp
