// config.json of models with latent attention.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"

namespace zp {
namespace {

Decoder read(const Json& config) {
  return find_architecture(config, "test").read_config(config, "test");
}

template <class T>
Json with(Json config, const char* key, T value) {
  config[key] = value;
  return config;
}

void refuses(const Json& config, const std::string& what) {
  try {
    read(config);
    ADD_FAILURE() << "taken: " << what;
  } catch (const Error& e) {
    const std::string said = e.what();
    EXPECT_NE(said.find(what), said.npos) << said;
    EXPECT_EQ(said.find('\n'), said.npos);
  }
}

// As DeepSeek-V2-Lite says it.
Json v2() {
  return parse_json(R"({"architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
    "attention_bias": false, "aux_loss_alpha": 0.001, "ep_size": 1, "first_k_dense_replace": 1,
    "hidden_act": "silu", "hidden_size": 64, "intermediate_size": 96, "kv_lora_rank": 32,
    "max_position_embeddings": 512, "moe_intermediate_size": 24, "moe_layer_freq": 1, "n_group": 1,
    "n_routed_experts": 8, "n_shared_experts": 2, "norm_topk_prob": false, "num_attention_heads": 4,
    "num_experts_per_tok": 2, "num_hidden_layers": 3, "num_key_value_heads": 4, "pretraining_tp": 1,
    "q_lora_rank": null, "qk_nope_head_dim": 24, "qk_rope_head_dim": 16, "rms_norm_eps": 1e-06,
    "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 0.707,
      "mscale_all_dim": 0.707, "original_max_position_embeddings": 64, "type": "yarn"},
    "rope_theta": 10000, "routed_scaling_factor": 1.0, "scoring_func": "softmax", "seq_aux": true,
    "tie_word_embeddings": false, "topk_group": 1, "topk_method": "greedy", "v_head_dim": 20,
    "vocab_size": 100})",
                    "test");
}

Json v3() {
  Json config = v2();
  config["architectures"] = {"DeepseekV3ForCausalLM"};
  config["model_type"] = "deepseek_v3";
  for (const char* key : {"rope_scaling", "aux_loss_alpha", "seq_aux"}) config.erase(key);
  config["q_lora_rank"] = 36;
  config["n_group"] = 4;
  config["topk_group"] = 2;
  config["norm_topk_prob"] = true;
  config["routed_scaling_factor"] = 2.5;
  config["scoring_func"] = "sigmoid";
  config["topk_method"] = "noaux_tc";
  config["num_nextn_predict_layers"] = 1;
  config["head_dim"] = 16;  // as transformers 5 writes it
  return config;
}

Json lite() {
  Json config = v3();
  config["architectures"] = {"Glm4MoeLiteForCausalLM"};
  config["model_type"] = "glm4_moe_lite";
  config["rope_parameters"] = {
      {"rope_type", "default"}, {"rope_theta", 1e6}, {"partial_rotary_factor", 1.0}};
  config.erase("rope_theta");
  return config;
}

TEST(LatentAttentionConfig, SizesOfTheLatentVectorsAndOfHeads) {
  const Decoder d = read(v2());
  EXPECT_EQ(d.latent, (Latent{.rank = 32, .query_rank = 0, .norm_epsilon = 1e-6}));
  EXPECT_EQ(d.head_dim, 40);
  EXPECT_EQ(d.value_dim, 20);
  EXPECT_EQ(d.latent_key_dim(), 24);
  EXPECT_EQ(d.rope.dims, 16);
  EXPECT_TRUE(d.rope.interleaved);
  EXPECT_TRUE(d.rope.trailing);
  EXPECT_EQ(read(v3()).latent.query_rank, 36);
  EXPECT_EQ(read(lite()).rope.dims, 16);
  EXPECT_EQ(read(lite()).rope.theta, 1e6);
}

TEST(LatentAttentionConfig, YarnSharpensScoresAndLeavesRotatedPartsAsLongAsTheyAre) {
  const Decoder d = read(v2());
  EXPECT_EQ(d.rope.attention_factor, 1);
  const double sharper = 0.1 * 0.707 * std::log(40.0) + 1;
  EXPECT_DOUBLE_EQ(d.score_scale(0), sharper * sharper / std::sqrt(40.0));
  EXPECT_DOUBLE_EQ(read(v3()).score_scale(0), 1 / std::sqrt(40.0));
}

TEST(LatentAttentionConfig, ExpertsAreChosenAsTheModelChoosesThem) {
  const Decoder d = read(v2());
  EXPECT_EQ(d.experts, (Experts{.count = 8, .chosen = 2, .ffn = 24, .shared_ffn = 48}));
  EXPECT_FALSE(d.layer(0).experts);
  EXPECT_TRUE(d.layer(1).experts);
  Json groups = with(with(v2(), "n_group", 4), "topk_group", 2);
  EXPECT_EQ(read(groups).experts.groups, 1);
  groups["topk_method"] = "group_limited_greedy";
  EXPECT_EQ(read(groups).experts.groups, 4);
  EXPECT_EQ(read(groups).experts.used_groups, 2);
  EXPECT_EQ(read(v3()).experts, (Experts{.count = 8,
                                         .chosen = 2,
                                         .ffn = 24,
                                         .routing = Routing::sigmoid,
                                         .renormalized = true,
                                         .groups = 4,
                                         .used_groups = 2,
                                         .scale = 2.5,
                                         .shared_ffn = 48}));
  const Json types = with(lite(), "mlp_layer_types", Json::array({"dense", "dense", "sparse"}));
  EXPECT_FALSE(read(types).layer(1).experts);
  EXPECT_TRUE(read(types).layer(2).experts);
}

// As Mistral Small 4 says it.
Json mistral4() {
  Json config = v2();
  config["architectures"] = {"Mistral4ForCausalLM"};
  config["model_type"] = "mistral4";
  for (const char* key : {"rope_scaling", "rope_theta", "scoring_func", "topk_method",
                          "moe_layer_freq", "aux_loss_alpha", "seq_aux", "ep_size"})
    config.erase(key);
  config["norm_topk_prob"] = true;
  config["rope_interleave"] = true;
  config["first_k_dense_replace"] = 0;
  config["rope_parameters"] = parse_json(R"({"beta_fast": 32.0, "beta_slow": 1.0, "factor": 128.0,
    "llama_4_scaling_beta": 0.1, "max_position_embeddings": 512, "mscale": 1.0,
    "mscale_all_dim": 1.0, "original_max_position_embeddings": 64, "partial_rotary_factor": 0.4,
    "rope_theta": 10000.0, "rope_type": "yarn", "type": "yarn"})",
                                         "test");
  return config;
}

Json with_rope(const char* key, double value) {
  Json config = mistral4();
  config["rope_parameters"][key] = value;
  return config;
}

TEST(LatentAttentionConfig, Mistral4sQueriesGrowWithTheirPositions) {
  const Decoder d = read(mistral4());
  EXPECT_EQ(d.query_beta, 0.1);
  EXPECT_EQ(d.query_length, 64);
  EXPECT_EQ(d.rope.sharpening, 1);
  EXPECT_EQ(d.rope.attention_factor, 1);
  EXPECT_EQ(d.rope.dims, 16);
  EXPECT_TRUE(d.rope.trailing && d.rope.interleaved);
  EXPECT_TRUE(d.experts.renormalized);
  EXPECT_EQ(d.experts.routing, Routing::softmax);
  refuses(with_rope("partial_rotary_factor", 0.8), "\"partial_rotary_factor\"");
  refuses(with_rope("mscale_all_dim", 0.7), "\"mscale_all_dim\"");
  refuses(with_rope("llama_4_scaling_beta", 0), "\"llama_4_scaling_beta\"");
  refuses(with(mistral4(), "rope_parameters", nullptr), "\"rope_parameters\": missing");
  refuses(with(mistral4(), "n_group", 2), "\"n_group\"");
}

TEST(LatentAttentionConfig, WhatIsWrittenReadsTheSame) {
  for (const Json& config :
       {v2(), with(v2(), "topk_method", "group_limited_greedy"), with(v2(), "q_lora_rank", 36),
        v3(), with(v3(), "attention_bias", true), lite(), mistral4(),
        with(lite(), "mlp_layer_types", Json::array({"dense", "dense", "sparse"}))}) {
    const Decoder d = read(config);
    const Json written = write_config(find_architecture(config, "test"), d);
    EXPECT_EQ(read(written), d) << written.dump_ascii();
  }
}

TEST(LatentAttentionConfig, RefusesWhatItDoesNotComputeInOneLine) {
  refuses(with(v2(), "num_key_value_heads", 2), "\"num_key_value_heads\": value not supported");
  refuses(with(v2(), "kv_lora_rank", 0), "\"kv_lora_rank\"");
  refuses(with(v2(), "qk_rope_head_dim", 15), "must be even");
  refuses(with(v2(), "v_head_dim", "wide"), "\"v_head_dim\"");
  refuses(with(v2(), "topk_method", "best"), "\"topk_method\": value not supported");
  refuses(with(v2(), "norm_topk_prob", true), "\"norm_topk_prob\"");
  refuses(with(v2(), "moe_layer_freq", 2), "\"moe_layer_freq\"");
  refuses(with(v3(), "n_group", 3), "\"n_group\"");
  refuses(with(v3(), "n_group", 8), "\"n_group\"");
  refuses(with(with(v3(), "topk_group", 1), "num_experts_per_tok", 3), "\"topk_group\"");
  refuses(with(v3(), "rope_interleave", false), "\"rope_interleave\"");
  refuses(with(lite(), "mlp_layer_types", Json::array({"sparse", "dense", "sparse"})),
          "\"mlp_layer_types\"");
  refuses(with(lite(), "mlp_layer_types", Json::array({"dense", "sparse"})), "\"mlp_layer_types\"");
  Json none = v2();
  none.erase("qk_nope_head_dim");
  refuses(none, "\"qk_nope_head_dim\"");
}

}  // namespace
}  // namespace zp
