#include "report/inspect_text.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace zp {
namespace {

Inspection one_tensor() {
  Inspection inspection;
  inspection.container = "gguf";
  inspection.metadata["tokenizer.ggml.tokens"] = {{"count", 17}};
  inspection.tensors = {{"blk.0.attn_q.weight", "query", {32}, "q8_0", 34}};
  return inspection;
}

TEST(InspectText, TensorsAreJsonObjects) {
  EXPECT_EQ(
      to_json(one_tensor())["tensors"][0].dump(),
      R"({"name":"blk.0.attn_q.weight","role":"query","shape":[32],"grid":"q8_0","bytes":34})");
}

TEST(InspectText, LongMetadataIsCounted) {
  EXPECT_NE(to_text(one_tensor()).find("tokenizer.ggml.tokens: 17 values"), std::string::npos);
}

}  // namespace
}  // namespace zp
