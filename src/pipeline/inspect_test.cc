#include "pipeline/inspect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "format/sample_files.h"
#include "pipeline/model_facts.h"

namespace zp {
namespace {

using sample::Raw;

constexpr std::int32_t kString = 8;
constexpr std::int32_t kArray = 9;

bool says(const Inspection& inspection, std::string_view problem) {
  return std::any_of(inspection.problems.begin(), inspection.problems.end(),
                     [&](const std::string& p) { return p.find(problem) != p.npos; });
}

Checkpoint read_bytes(const std::string& file) {
  Checkpoint checkpoint;
  const SourceKind* kind = source_kind_of(sample::view(file));
  checkpoint.kind = kind->name;
  kind->read(sample::view(file), "x", checkpoint);
  return checkpoint;
}

std::string small_gguf() {
  Raw pairs;
  pairs.string("general.architecture").number(kString).string("llama");
  pairs.string("llama.block_count").number<std::int32_t>(4).number<std::uint32_t>(1);
  pairs.string("bytes").number(kString).string(
      "a\xff"
      "b");
  pairs.string("few").number(kArray).number<std::int32_t>(0).number<std::uint64_t>(2).text("\1\2");
  pairs.string("tokenizer.ggml.tokens").number(kArray).number(kString).number<std::uint64_t>(17);
  for (int i = 0; i < 17; ++i) pairs.string("t");
  return sample::gguf(5, pairs.bytes(),
                      {{.name = "blk.0.attn_q.weight", .ne = {32}, .type = 8},
                       {.name = "odd", .ne = {2}, .offset = 64}},
                      std::string(72, '\0'));
}

TEST(Inspect, TellsTensorsRolesAndSizes) {
  const std::string file = small_gguf();
  const Inspection i = inspect(read_bytes(file));
  EXPECT_EQ(i.container, "gguf");
  EXPECT_EQ(i.architecture, "llama");
  EXPECT_EQ(i.parameters, 34);
  EXPECT_DOUBLE_EQ(i.bits_per_weight, (34 + 8) * 8.0 / 34);
  ASSERT_EQ(i.tensors.size(), 2U);
  EXPECT_EQ(i.tensors[0].role, "query");
  EXPECT_EQ(i.tensors[0].grid, "q8_0");
  EXPECT_EQ(i.tensors[1].role, "");
  EXPECT_TRUE(says(i, "\"llama.context_length\": key missing"));
  EXPECT_TRUE(says(i, "\"tokenizer.ggml.model\": key missing"));
}

TEST(Inspect, ShortensLongMetadataAndKeepsItUtf8) {
  const std::string file = small_gguf();
  const Json metadata = inspect(read_bytes(file)).metadata;
  EXPECT_EQ(metadata["tokenizer.ggml.tokens"].dump(), R"({"count":17})");
  EXPECT_EQ(metadata["few"].dump(), "[1,2]");
  EXPECT_EQ(metadata["bytes"],
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Inspect, CountsWhatIsNotFiniteWhenAsked) {
  const std::array<float, 4> values = {1, std::numeric_limits<float>::quiet_NaN(), 2,
                                       -std::numeric_limits<float>::infinity()};
  const std::string file =
      sample::safetensors(R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})",
                          {reinterpret_cast<const char*>(values.data()), sizeof values});
  EXPECT_FALSE(says(inspect(read_bytes(file)), "not finite"));
  Silent progress;
  EXPECT_EQ(find_not_finite(read_bytes(file), progress),
            std::vector<std::string>{"tensor \"a\": 2 values are not finite"});
}

TEST(Inspect, FindsRolesUnderEveryName) {
  const Architecture& gpt2 =
      **std::find_if(architectures().begin(), architectures().end(),
                     [](const Architecture* a) { return a->name == "gpt2"; });
  EXPECT_EQ(role_of(gpt2, "transformer.h.11.mlp.c_proj.weight"), "down");
  EXPECT_EQ(role_of(gpt2, "h.11.mlp.c_proj.bias"), "down");
  EXPECT_EQ(role_of(gpt2, "blk.3.ffn_down.weight"), "down");
  EXPECT_EQ(role_of(gpt2, "blk.x.ffn_down.weight"), "");
  EXPECT_EQ(role_of(gpt2, "blk..ffn_down.weight"), "");
}

}  // namespace
}  // namespace zp
