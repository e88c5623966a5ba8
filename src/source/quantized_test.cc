#include "source/quantized.h"

#include <gtest/gtest.h>

#include "format/sample_files.h"

namespace zp {
namespace {

Checkpoint checkpoint(const char* config, const char* tensor, const char* type) {
  Checkpoint c;
  c.path = "model";
  c.config() = parse_json(config, "test");
  Tensor t;
  t.name = tensor;
  t.type = type;
  c.add(std::move(t), "test");
  return c;
}

std::string refusal(const char* config, const char* tensor, const char* type) {
  Checkpoint c = checkpoint(config, tensor, type);
  settle_quantization(c);
  return sample::refusal([&] { refuse_quantized(c); });
}

TEST(Quantized, FloatsAreReadThoughTheConfigSaysQuantized) {
  for (const char* key : {"quantization_config", "compression_config"}) {
    const std::string config =
        std::string("{\"") + key + R"(":{"quant_method":"bitsandbytes","load_in_4bit":true}})";
    Checkpoint c = checkpoint(config.c_str(), "a.weight", "bf16");
    settle_quantization(c);
    EXPECT_TRUE(c.config().empty());
    ASSERT_EQ(c.notes.size(), 1U);
    EXPECT_NE(c.notes[0].find("bitsandbytes"), std::string::npos);
    EXPECT_NO_THROW(refuse_quantized(c));
  }
}

TEST(Quantized, WhatIsQuantizedIsRefusedByItsMethod) {
  EXPECT_EQ(
      refusal(R"({"quantization_config":{"quant_method":"gptq","bits":4}})", "a.qweight", "int32"),
      "model: quantized already, by GPTQ: expected weights in floating point, found "
      "\"a.qweight\" of int32");
  EXPECT_NE(refusal(R"({"quantization_config":{"quant_method":"fp8"}})", "a.weight", "fp8_e4m3")
                .find("by FP8 in blocks"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"quantization_config":{"quant_method":"tomorrow"}})", "a.weight", "uint8")
                .find("by tomorrow"),
            std::string::npos);
}

TEST(Quantized, TheTensorsTellWhereTheConfigDoesNot) {
  EXPECT_NE(refusal("{}", "a.qweight", "int32").find("by GPTQ or AWQ"), std::string::npos);
  EXPECT_NE(refusal("{}", "a.weight.quant_state.bitsandbytes__nf4", "uint8").find("bitsandbytes"),
            std::string::npos);
  EXPECT_NE(refusal("{}", "a.weight_packed", "int32").find("compressed-tensors"),
            std::string::npos);
  EXPECT_EQ(refusal("{}", "a.weight", "fp8_e4m3"), "accepted");
  EXPECT_EQ(refusal("{}", "a.weight", "bf16"), "accepted");
}

}  // namespace
}  // namespace zp
