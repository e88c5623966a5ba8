#include "container/mlx_config.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

TEST(MlxConfig, HoistsWhatTransformers5Nests) {
  const Json config =
      mlx_config({{"model_type", "llama"},
                  {"rope_parameters", {{"rope_theta", 5e5}, {"rope_type", "default"}}}},
                 {});
  EXPECT_EQ(config["rope_theta"], 5e5);
  EXPECT_FALSE(config.contains("rope_scaling"));
}

TEST(MlxConfig, SpellsLongropeBothWays) {
  const Json config = mlx_config({{"model_type", "phi3"},
                                  {"rope_scaling", nullptr},
                                  {"rope_parameters",
                                   {{"rope_theta", 10000.0},
                                    {"rope_type", "longrope"},
                                    {"partial_rotary_factor", 0.75},
                                    {"original_max_position_embeddings", 4096},
                                    {"long_factor", {2.0, 3.0}},
                                    {"short_factor", {1.0, 1.0}}}}},
                                 {});
  EXPECT_EQ(config["rope_scaling"]["type"], "longrope");
  EXPECT_EQ(config["rope_scaling"]["rope_type"], "longrope");
  EXPECT_EQ(config["rope_scaling"]["long_factor"], Json({2.0, 3.0}));
  EXPECT_EQ(config["rope_scaling"]["short_factor"], Json({1.0, 1.0}));
  EXPECT_EQ(config["original_max_position_embeddings"], 4096);
  EXPECT_EQ(config["partial_rotary_factor"], 0.75);
  EXPECT_EQ(config["rope_theta"], 10000.0);
}

TEST(MlxConfig, KeepsTheOldSpellingAndAddsTheNew) {
  const Json config = mlx_config(
      {{"rope_theta", 1e4},
       {"original_max_position_embeddings", 4096},
       {"rope_scaling", {{"type", "longrope"}, {"long_factor", {1.5}}, {"short_factor", {1.0}}}}},
      {});
  EXPECT_EQ(config["rope_scaling"]["type"], "longrope");
  EXPECT_EQ(config["rope_scaling"]["rope_type"], "longrope");
  EXPECT_EQ(config["rope_scaling"]["original_max_position_embeddings"], 4096);
  EXPECT_EQ(config["rope_theta"], 1e4);
}

TEST(MlxConfig, WhatTheSourceSaysItselfStays) {
  const Json config = mlx_config(
      {{"rope_theta", 1.0}, {"rope_parameters", {{"rope_theta", 2.0}, {"rope_type", "default"}}}},
      {});
  EXPECT_EQ(config["rope_theta"], 1.0);
}

TEST(MlxConfig, FillsInWhatTheModelsInsistOn) {
  EXPECT_EQ(mlx_config({{"model_type", "gpt2"}, {"n_positions", 64}}, {})["n_ctx"], 64);
  const Json neox =
      mlx_config({{"model_type", "gpt_neox"},
                  {"rope_parameters", {{"rope_theta", 10000}, {"partial_rotary_factor", 0.25}}}},
                 {});
  EXPECT_EQ(neox["rotary_emb_base"], 10000);
  EXPECT_EQ(neox["rotary_pct"], 0.25);
  EXPECT_FALSE(mlx_config({{"model_type", "llama"}, {"n_positions", 64}}, {}).contains("n_ctx"));
}

TEST(MlxConfig, SurvivesFieldsOfOtherTypes) {
  const Json config = {{"model_type", 5}, {"rope_parameters", {1, 2}}, {"rope_scaling", "none"}};
  EXPECT_EQ(mlx_config(config, {}), config);
}

TEST(MlxConfig, CallsTheFormOfMostParametersTheDefault) {
  AffineForm four, eight;
  four.bits = 4;
  eight.bits = 8;
  const std::vector<MlxModule> modules = {
      {"a", &eight, 10}, {"b", &four, 6}, {"c", &four, 6}, {"d", nullptr, 100}};
  const Json q = mlx_config(Json::object(), modules)["quantization"];
  EXPECT_EQ(q["bits"], 4);
  EXPECT_EQ(q["a"], Json({{"group_size", 32}, {"bits", 8}, {"mode", "affine"}}));
  EXPECT_FALSE(q.contains("b"));
  EXPECT_EQ(q["d"], false);
}

}  // namespace
}  // namespace zp
