#include "pipeline/pattern.h"

#include <gtest/gtest.h>

#include "model/sample_models.h"

namespace zp {
namespace {

// The names, in GGUF, of all weights that are meant.
std::string asked(std::string_view pattern, bool tied) {
  Decoder d = sample_decoder("llama");
  d.tied = tied;
  const SampleModel sample = sample_model("pattern", d);
  const Asked means(sample.model);
  std::string found;
  for (const Weight& w : sample.model.weights) {
    if (means(pattern, w.use)) found += (found.empty() ? "" : " ") + w.use.gguf;
  }
  return found;
}

TEST(Pattern, TensorsHaveTheNamesOfEveryWorld) {
  for (const char* down :
       {"down", "ffn_down", "down_proj", "mlp.down_proj", "blk.*.ffn_down.weight",
        "layers.0-1.down", "model.layers.*.mlp.down_proj.weight"})
    EXPECT_EQ(asked(down, false), "blk.0.ffn_down.weight blk.1.ffn_down.weight") << down;
  EXPECT_EQ(asked("blk.1.ffn_down", false), "blk.1.ffn_down.weight");
  EXPECT_EQ(asked("own_proj", false), "");
  EXPECT_EQ(asked("blk.1.*,embedding", false), "token_embd.weight " + asked("layers.1.*", false));
}

TEST(Pattern, ATiedHeadIsTheEmbedding) {
  for (const char* head : {"head", "lm_head", "lm_head.weight", "output", "output.weight"}) {
    EXPECT_EQ(asked(head, false), "output.weight") << head;
    EXPECT_EQ(asked(head, true), "token_embd.weight") << head;
  }
}

TEST(Pattern, RulesDoNotTakeATiedHeadForTheEmbedding) {
  Decoder d = sample_decoder("llama");
  d.tied = true;
  for (const Weight& w : sample_model("rules", d).model.weights)
    EXPECT_FALSE(matches("head", w.use)) << w.use.hf;
}

}  // namespace
}  // namespace zp
