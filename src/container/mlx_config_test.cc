#include "container/mlx_config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"

namespace zp {
namespace {

Decoder rotating(RopeScaling scaling) {
  Decoder d;
  d.heads = 4;
  d.kv_heads = 2;
  d.head_dim = 32;
  d.context = 8192;
  d.rope.dims = 24;
  d.rope.theta = 5e5;
  d.rope.scaling = scaling;
  d.rope.original_context = 4096;
  return d;
}

Model model_of(std::string_view architecture) {
  Model model;
  for (const Architecture* a : architectures()) {
    if (a->name == architecture) model.architecture = a;
  }
  return model;
}

TEST(MlxConfig, SaysWhatMlxLmHasOtherDefaultsFor) {
  const Json config =
      mlx_config({{"num_attention_heads", 4},
                  {"rope_parameters", {{"rope_theta", 5e5}, {"rope_type", "default"}}}},
                 rotating(RopeScaling::none), {});
  EXPECT_EQ(config["rope_theta"], 5e5);
  EXPECT_EQ(config["partial_rotary_factor"], 0.75);
  EXPECT_EQ(config["num_key_value_heads"], 2);
  EXPECT_EQ(config["head_dim"], 32);
  EXPECT_EQ(config["max_position_embeddings"], 8192);
  EXPECT_FALSE(config.contains("rope_scaling"));
}

TEST(MlxConfig, SpellsTheNewLongropeTheOldWayToo) {
  const Json config = mlx_config({{"rope_scaling", nullptr},
                                  {"rope_parameters",
                                   {{"rope_theta", 5e5},
                                    {"rope_type", "longrope"},
                                    {"long_factor", {2.0, 3.0}},
                                    {"short_factor", {1.0, 1.0}}}}},
                                 rotating(RopeScaling::longrope), {});
  const Json& scaling = config["rope_scaling"];
  EXPECT_EQ(scaling["type"], "longrope");
  EXPECT_EQ(scaling["rope_type"], "longrope");
  EXPECT_EQ(scaling["long_factor"], Json({2.0, 3.0}));
  EXPECT_EQ(scaling["short_factor"], Json({1.0, 1.0}));
  EXPECT_EQ(scaling["original_max_position_embeddings"], 4096);
  EXPECT_EQ(config["original_max_position_embeddings"], 4096);
  EXPECT_FALSE(config["rope_parameters"].contains("type"));
}

TEST(MlxConfig, SpellsTheOldLongropeTheNewWayToo) {
  const Json config = mlx_config({{"rope_scaling", {{"type", "su"}, {"long_factor", {1.5}}}}},
                                 rotating(RopeScaling::longrope), {});
  EXPECT_EQ(config["rope_scaling"]["type"], "su");
  EXPECT_EQ(config["rope_scaling"]["rope_type"], "su");
}

double attention_factor_of(const Json& scaling) {
  const double factor = scaling["factor"].get<double>();
  const auto term = [&](const char* name, double otherwise) {
    return 0.1 * scaling.value(name, otherwise) * std::log(factor) + 1;
  };
  return term("mscale", 1) / term("mscale_all_dim", 0);
}

TEST(MlxConfig, SpellsYarnsAttentionFactorAsTheMscaleThatGivesIt) {
  Decoder d = rotating(RopeScaling::yarn);
  d.rope.factor = 4;
  for (const double stated : {1.4, 1.0, 0.7}) {
    d.rope.attention_factor = stated;
    const Json scaling = {
        {"rope_type", "yarn"}, {"factor", 4.0}, {"attention_factor", stated}, {"mscale", 0.5}};
    const Json written = mlx_config({{"rope_scaling", scaling}}, d, {})["rope_scaling"];
    EXPECT_NEAR(attention_factor_of(written), stated, 1e-15);
    EXPECT_EQ(written["attention_factor"], stated);
  }
}

TEST(MlxConfig, SaysNothingOfAnAttentionFactorThatFollows) {
  Decoder d = rotating(RopeScaling::yarn);
  d.rope.factor = 4;
  d.rope.attention_factor = 0.1 * std::log(4.0) + 1;
  const Json scaling = {{"rope_type", "yarn"}, {"factor", 4.0}};
  EXPECT_FALSE(mlx_config({{"rope_scaling", scaling}}, d, {})["rope_scaling"].contains("mscale"));
}

TEST(MlxConfig, AScalingThatIsNoneIsLeftOut) {
  const Json config =
      mlx_config({{"rope_scaling", {{"type", "default"}}}}, rotating(RopeScaling::none), {});
  EXPECT_TRUE(config["rope_scaling"].is_null());
}

TEST(MlxConfig, StatesWhatItsModuleHasOtherDefaultsFor) {
  Model model = model_of("phi");
  model.decoder = rotating(RopeScaling::none);
  model.decoder.norm_epsilon = 0.25;
  Json config = {{"model_type", "phi-msft"}, {"num_hidden_layers", 7}};
  spell_for_module(config, model);
  EXPECT_EQ(config["model_type"], "phi");
  EXPECT_EQ(config["layer_norm_eps"], 0.25);
  EXPECT_EQ(config["partial_rotary_factor"], 0.75);
  EXPECT_EQ(config["num_hidden_layers"], 7);
}

TEST(MlxConfig, AModuleOfSeveralPartsHasTheTextsAsOneOfThem) {
  const Json config =
      in_whole({{"model_type", "qwen3_5_text"},
                {"hidden_size", 8},
                {"eos_token_id", 3},
                {"quantization", 4}},
               {{"model_type", "qwen3_5"}, {"eos_token_id", 7}, {"vision_config", {{"depth", 1}}}});
  EXPECT_EQ(config, Json({{"model_type", "qwen3_5"},
                          {"eos_token_id", 7},
                          {"vision_config", {{"depth", 1}}},
                          {"quantization", 4},
                          {"text_config", {{"model_type", "qwen3_5_text"}, {"hidden_size", 8}}}}));
}

// LFM2's MLPs are of another size than the one stated, where nothing says that they aren't.
TEST(MlxConfig, RespellsWhatItsModuleWouldReadOtherwise) {
  Model model;
  for (const Architecture* a : architectures()) {
    if (a->name == "lfm2") model.architecture = a;
  }
  model.decoder = rotating(RopeScaling::none);
  model.decoder.hidden = 128;
  model.decoder.ffn = 768;
  Json config = {{"model_type", "lfm2"}, {"intermediate_size", 1000}, {"block_ff_dim", 1000}};
  spell_for_module(config, model);
  EXPECT_EQ(config["block_ff_dim"], 768);
  EXPECT_EQ(config["block_auto_adjust_ff_dim"], false);
  EXPECT_EQ(config["block_dim"], 128);
  EXPECT_EQ(config["intermediate_size"], 768);
}

TEST(MlxConfig, WhatTheSourceSaysItselfStays) {
  const Json source = {{"num_attention_heads", 4}, {"num_key_value_heads", 4},
                       {"head_dim", 16},           {"max_position_embeddings", 7},
                       {"rope_theta", 5e5},        {"partial_rotary_factor", 0.5}};
  EXPECT_EQ(mlx_config(source, rotating(RopeScaling::none), {}), source);
}

TEST(MlxConfig, CompletesGpt2) {
  Model model = model_of("gpt2");
  model.decoder.context = 64;
  model.decoder.norm_epsilon = 0.25;
  Json config = {{"model_type", "gpt2"}, {"n_positions", 64}};
  spell_for_module(config, model);
  EXPECT_EQ(config, Json({{"model_type", "gpt2"},
                          {"n_positions", 64},
                          {"n_ctx", 64},
                          {"layer_norm_epsilon", 0.25}}));
}

TEST(MlxConfig, CallsTheFormOfMostParametersTheDefault) {
  const mlx::Mode* affine = mlx::find_mode("affine");
  const mlx::Form four{affine, 32, 4}, eight{affine, 32, 8};
  const std::vector<MlxModule> modules = {
      {"a", eight, 10}, {"b", four, 6}, {"c", four, 6}, {"d", {}, 100}};
  const Json q = mlx_config(Json::object(), {}, modules)["quantization"];
  EXPECT_EQ(q["bits"], 4);
  EXPECT_EQ(q["a"], Json({{"group_size", 32}, {"bits", 8}, {"mode", "affine"}}));
  EXPECT_FALSE(q.contains("b"));
  EXPECT_EQ(q["d"], false);
}

}  // namespace
}  // namespace zp
