#include "container/openvino_info.h"

#include <gtest/gtest.h>

#include "container/sample_decoder.h"

namespace zp {
namespace {

// "MODE GROUP", or nothing.
std::string compression(const std::string& most, const std::string& down, bool accurate = false) {
  const Sample sample(kLlama);
  std::vector<Assignment> all;
  for (const Weight& w : sample.model.weights) {
    const Role role = w.use.place.role;
    const std::string grid = role == Role::embedding ? "int8:channel" : most;
    all.push_back({&w, make_grid(!w.use.is_matrix() ? "fp32" : role == Role::down ? down : grid)});
  }
  std::string said;
  for (const auto& [name, value] : openvino_info(all, accurate))
    said += (said.empty() ? "" : " ") + name.substr(name.rfind('/') + 1) + "=" + value;
  return said;
}

TEST(OpenVinoInfo, SaysWhatTheLayersWeightsAreInNncfsWords) {
  const auto both = [](const std::string& grid) { return compression(grid, grid); };
  EXPECT_EQ(both("int4:g16:zero"), "mode=int4_asym group_size=16");
  EXPECT_EQ(both("uint4:g16:sym"), "mode=int4_sym group_size=16");
  EXPECT_EQ(both("int8:channel:zero"), "mode=int8_asym group_size=-1");
  EXPECT_EQ(both("int8:channel:sym"), "mode=int8_sym group_size=-1");
  EXPECT_EQ(both("nf4:g16"), "mode=nf4 group_size=16");
  EXPECT_EQ(both("mxfp4"), "mode=mxfp4 group_size=32");
  EXPECT_EQ(both("nvfp4"), "mode=nvfp4 group_size=16");
  EXPECT_EQ(both("mxfp8"), "mode=mxfp8_e4m3 group_size=32");
}

// Down has 2 x 1,536 weights, the others 2 x 6,144.
TEST(OpenVinoInfo, SaysWhatMostWeightsAre) {
  EXPECT_EQ(compression("int4:g16:zero", "int8:channel:zero"), "mode=int4_asym group_size=16");
  EXPECT_EQ(compression("bf16", "int8:channel:zero"), "mode=int8_asym group_size=-1");
}

TEST(OpenVinoInfo, SaysNothingOfFloatsAndOfCodesWithoutAWord) {
  EXPECT_EQ(compression("bf16", "bf16"), "");
  EXPECT_EQ(compression("int2:g16:zero", "int2:g16:zero"), "");
}

TEST(OpenVinoInfo, AsksForAccuracy) {
  EXPECT_EQ(compression("bf16", "bf16", true),
            "DYNAMIC_QUANTIZATION_GROUP_SIZE=0 KV_CACHE_PRECISION=f32");
}

}  // namespace
}  // namespace zp
