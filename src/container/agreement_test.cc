#include "container/agreement.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace zp {
namespace {

Decoder model() {
  Decoder d;
  d.layers = 4;
  d.hidden = 64;
  d.heads = 4;
  d.kv_heads = 2;
  d.head_dim = 16;
  d.ffn = 96;
  d.context = 512;
  d.rope.dims = 16;
  return d;
}

std::vector<std::string> notes(const Decoder& d, const RuntimeModule& module) {
  return runtime_notes(d, module, "it", "there");
}

std::string refusal(const Decoder& d, const RuntimeModule& module) {
  try {
    notes(d, module);
  } catch (const Error& e) {
    return e.what();
  }
  return "not refused";
}

Decoder longrope() {
  Decoder d = model();
  d.rope.scaling = RopeScaling::longrope;
  d.rope.original_context = 32;
  d.rope.short_factor.assign(8, 1.0f);
  d.rope.long_factor.assign(8, 2.0f);
  d.rope.attention_factor = std::sqrt(1 + std::log(16.0) / std::log(32.0));
  return d;
}

using Lines = std::vector<std::string>;

TEST(Agreement, NothingIsSaidWhereBothComputeTheSame) { EXPECT_EQ(notes(model(), {}), Lines{}); }

TEST(Agreement, WindowsAreSaidWithTheirSizeAndLayers) {
  Decoder d = model();
  d.every.window = 20;
  EXPECT_EQ(notes(d, {}), Lines{"it attends to everything here; the model sees 20 tokens"});
  set_windows(d, 20, [](std::int64_t layer) { return layer > 0; });
  EXPECT_EQ(notes(d, {}),
            Lines{"it attends to everything here; the model sees 20 tokens in 3 of 4 layers"});
  EXPECT_EQ(notes(d, {.windows = true}), Lines{});
  set_windows(d, 2048, [](std::int64_t layer) { return layer > 0; });
  EXPECT_EQ(notes(d, {}), Lines{});
}

TEST(Agreement, LayersThatAreOthersElsewhereAreRefused) {
  Decoder d = model();
  set_windows(d, 20, [](std::int64_t layer) { return layer != 1; });
  EXPECT_EQ(refusal(d, {.windows = true, .window_period = 4}),
            "there: has layers without a window elsewhere: expected in every 4 layers the last");
  set_windows(d, 20, [](std::int64_t layer) { return layer != 3; });
  EXPECT_EQ(notes(d, {.windows = true, .window_period = 4}), Lines{});
  set_windows(d, std::nullopt, [](std::int64_t) { return false; });
  EXPECT_EQ(notes(d, {.windows = true, .window_period = 4}), Lines{});
  EXPECT_EQ(
      refusal(d, {.rope_period = 2}),
      "there: has layers without a rotary embedding elsewhere: expected in every 2 layers the last");
  set_layers(
      d, [](std::int64_t i, Layer& l) { l.rope = i % 2 == 1 ? RopeKind::none : RopeKind::global; });
  EXPECT_EQ(notes(d, {.rope_period = 2}), Lines{});
}

TEST(Agreement, ScalesOfExpertsAndBiasesOfConvolutionsAreRefusedWhereTheModuleHasNone) {
  Decoder d = model();
  d.experts = {.count = 4, .chosen = 2, .ffn = 8, .renormalized = true, .scale = 2.5};
  d.every.experts = true;
  EXPECT_EQ(refusal(d, {.unscaled_experts = true}),
            "there: doesn't multiply experts' weights: expected 1, found 2.5");
  EXPECT_EQ(refusal(d, {}), "not refused");
  d.experts.scale = 1;
  EXPECT_EQ(refusal(d, {.unscaled_experts = true}), "not refused");
  d.conv_bias = true;
  EXPECT_EQ(refusal(d, {.no_biases = true}), "there: has no biases; the model has");
}

TEST(Agreement, EmbeddingScalesThatAreRoundedAreSaid) {
  Decoder d = model();
  d.embedding_scale = 8;
  EXPECT_EQ(notes(d, {.rounds_embedding_scale = true}), Lines{});
  d.embedding_scale = std::sqrt(640.0);
  EXPECT_EQ(notes(d, {}), Lines{});
  EXPECT_EQ(notes(d, {.rounds_embedding_scale = true}),
            Lines{"it multiplies the embedding by 25.25; the model by 25.2982"});
}

TEST(Agreement, FormsOfGeluAreSaidAndOtherActivationsRefused) {
  Decoder d = model();
  d.activation = Activation::gelu_erf;
  EXPECT_EQ(notes(d, {.activation = Activation::gelu_tanh}),
            Lines{"it computes GELU by its tanh form here; the model's is exact (erf)"});
  EXPECT_EQ(refusal(d, {}), "there: computes another activation");
}

TEST(Agreement, LongropesFactorsAreSaidWhereTheModelTakesTheShortOnes) {
  Decoder d = longrope();
  RuntimeModule module{.scalings = kEveryScaling, .long_factors = LongFactors::always};
  EXPECT_EQ(notes(d, module), Lines{"it takes longrope's long factors at every length; the model "
                                    "takes the short ones up to 32 tokens"});
  module.long_factors = LongFactors::by_context;
  EXPECT_EQ(notes(d, module),
            Lines{"it takes longrope's long factors at every length where its context is above 32; "
                  "the model takes the short ones up to 32 tokens"});
  d.rope.original_context = 512;  // all the model ever sees
  EXPECT_EQ(notes(d, module), Lines{});
  d.rope.short_factor = d.rope.long_factor;
  module.long_factors = LongFactors::always;
  EXPECT_EQ(notes(d, module), Lines{});
}

TEST(Agreement, AnAttentionFactorThatIsDerivedIsSaidWithBothValues) {
  Decoder d = longrope();
  const RuntimeModule module{.scalings = kEveryScaling, .derives_attention_factor = true};
  EXPECT_EQ(notes(d, module), Lines{});
  d.rope.attention_factor = 1.4;
  EXPECT_EQ(notes(d, module),
            Lines{"it multiplies rotated queries and keys by 1.342; the model by 1.4"});
}

TEST(Agreement, ScalingsThatTheModuleHasNotAreRefused) {
  Decoder d = model();
  d.rope.scaling = RopeScaling::yarn;
  EXPECT_EQ(refusal(d, {}), "there: has no rope scaling of this kind: found yarn");
  EXPECT_EQ(refusal(d, {.scalings = kFormulas}), "not refused");
  d.rope.beta_fast = 8;
  EXPECT_EQ(refusal(d, {.scalings = kFormulas}), "not refused");
  EXPECT_EQ(refusal(d, {.scalings = kFormulas, .usual_betas = true}),
            "there: has YaRN with beta_fast 32 and beta_slow 1 only");
  d.rope.dims = 0;
  EXPECT_EQ(refusal(d, {}), "not refused");
}

TEST(Agreement, SizesAndPartsThatTheModuleHasOneWayOnlyAreRefused) {
  Decoder d = model();
  EXPECT_EQ(refusal(d, {.tied = true}),
            "there: takes the embedding for the head; the model has a head of its own");
  EXPECT_EQ(refusal(d, {.fourfold_ffn = true}),
            "there: has MLPs of one width only: expected 256, found 96");
  EXPECT_EQ(refusal(d, {.needs_window = true}), "there: always has a window; the model has none");
  d.logit_soft_cap = 30;
  EXPECT_EQ(refusal(d, {.needs_caps = true}),
            "there: always has both soft caps; the model does not");
  d.head_dim = 32;
  EXPECT_EQ(refusal(d, {.even_heads = true}),
            "there: has heads of one size only: expected 16, found 32");
  d.attention_scale = 0.5;
  EXPECT_NE(refusal(d, {}).find("multiplies scores by another factor"), std::string::npos);
  EXPECT_EQ(refusal(d, {.attention_scale = nullptr}), "not refused");
}

}  // namespace
}  // namespace zp
