// config.json of LFM2, with and without experts.
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"

namespace zp {
namespace {

// As LFM2-1.2B's config.json says it, but for sizes that make no difference.
Json lfm2() {
  return parse_json(R"({"architectures": ["Lfm2ForCausalLM"], "model_type": "lfm2",
    "block_auto_adjust_ff_dim": true, "block_dim": 2048, "block_ff_dim": 12288,
    "block_ffn_dim_multiplier": 1.0, "block_mlp_init_scale": 1.0, "block_multiple_of": 256,
    "block_norm_eps": 1e-05, "block_out_init_scale": 1.0, "block_use_swiglu": true,
    "block_use_xavier_init": true, "conv_L_cache": 3, "conv_bias": false, "conv_dim": 2048,
    "conv_dim_out": 2048, "conv_use_xavier_init": true, "full_attn_idxs": [2, 5],
    "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 12288,
    "max_position_embeddings": 128000, "norm_eps": 1e-05, "num_attention_heads": 32,
    "num_heads": 32, "num_hidden_layers": 6, "num_key_value_heads": 8, "rope_theta": 1000000.0,
    "theta": 1000000.0, "tie_embedding": true, "use_pos_enc": true, "vocab_size": 512})",
                    "test");
}

// As LFM2-8B-A1B has it.
Json lfm2_moe() {
  return parse_json(R"({"architectures": ["Lfm2MoeForCausalLM"], "model_type": "lfm2_moe",
    "conv_L_cache": 3, "conv_bias": false, "hidden_size": 64, "intermediate_size": 96,
    "layer_types": ["conv", "conv", "full_attention", "conv"], "max_position_embeddings": 128000,
    "moe_intermediate_size": 32, "norm_eps": 1e-05, "norm_topk_prob": true,
    "num_attention_heads": 4, "num_dense_layers": 2, "num_experts": 8, "num_experts_per_tok": 4,
    "num_hidden_layers": 4, "num_key_value_heads": 2, "rope_theta": 1000000.0,
    "routed_scaling_factor": 1.0, "tie_embedding": true, "use_expert_bias": true,
    "vocab_size": 512})",
                    "test");
}

Json with(Json config, const char* key, Json value) {
  config[key] = std::move(value);
  return config;
}

Json without(Json config, const char* key) {
  config.erase(key);
  return config;
}

Decoder read(const Json& config) {
  return find_architecture(config, "config.json").read_config(config, "config.json");
}

std::string refusal(const Json& config) {
  try {
    read(config);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Config, Lfm2SaysWhichLayersAttendAndWhatAConvolutionSees) {
  const Decoder d = read(lfm2());
  EXPECT_EQ(d.convolution, 3);
  EXPECT_FALSE(d.conv_bias);
  EXPECT_TRUE(d.tied);
  EXPECT_EQ(d.head_dim, 64);
  EXPECT_EQ(d.rope.theta, 1e6);
  EXPECT_EQ(d.attention_layers(), 2);
  for (std::int64_t i = 0; i < 6; ++i) {
    const bool attends = i == 2 || i == 5;
    EXPECT_EQ(d.layer(i).mixer, attends ? Mixer::attention : Mixer::short_convolution) << i;
    EXPECT_EQ(d.state_floats(i), attends ? 0 : 2 * 2048) << i;
  }
  Json by_types = without(lfm2(), "full_attn_idxs");
  by_types["layer_types"] = {"conv", "conv", "full_attention", "conv", "conv", "full_attention"};
  EXPECT_EQ(read(by_types), d);
  EXPECT_EQ(read(with(by_types, "full_attn_idxs", {2, 5})), d);
}

TEST(Config, Lfm2AdjustsTheSizeOfItsMlps) {
  EXPECT_EQ(read(lfm2()).ffn, 8192);
  EXPECT_EQ(read(with(lfm2(), "block_ff_dim", nullptr)).ffn, 8192);
  EXPECT_EQ(read(with(without(lfm2(), "intermediate_size"), "block_ff_dim", 1000)).ffn,
            768);  // 666, up to a multiple
  EXPECT_EQ(read(with(lfm2(), "block_auto_adjust_ff_dim", false)).ffn, 12288);
  EXPECT_EQ(read(without(lfm2(), "block_auto_adjust_ff_dim")).ffn, 8192);
  EXPECT_EQ(read(with(lfm2(), "block_ffn_dim_multiplier", 0.8)).ffn, 6656);  // 6553.6
  EXPECT_EQ(read(with(lfm2(), "block_multiple_of", 5)).ffn, 8195);
}

TEST(Config, Lfm2WithExpertsHasThemBehindItsDenseLayers) {
  const Decoder d = read(lfm2_moe());
  EXPECT_EQ(d.ffn, 96);
  EXPECT_EQ(d.experts, (Experts{.count = 8,
                                .chosen = 4,
                                .ffn = 32,
                                .routing = Routing::sigmoid,
                                .renormalized = true,
                                .sum_addend = 1e-6}));
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_EQ(d.layer(i).experts, i >= 2) << i;
}

TEST(Config, Lfm2IsWrittenAsItWasRead) {
  for (const Json& config :
       {lfm2(), with(lfm2(), "conv_bias", true), with(lfm2(), "tie_embedding", false), lfm2_moe(),
        with(with(lfm2_moe(), "routed_scaling_factor", 2.5), "num_dense_layers", 0)}) {
    const Decoder d = read(config);
    EXPECT_EQ(read(write_config(find_architecture(config, "test"), d)), d) << config;
  }
}

TEST(Config, Lfm2IsRefusedByName) {
  const auto refuses = [](const Json& config, const std::string& what) {
    EXPECT_NE(refusal(config).find(what), std::string::npos) << refusal(config);
  };
  refuses(with(lfm2_moe(), "layer_types", {"conv", "conv", "full_attention", "mamba"}),
          "\"layer_types\": kind of layer not known: expected conv or full_attention");
  refuses(with(lfm2_moe(), "layer_types", {"conv", "full_attention"}),
          "\"layer_types\": wrong length: expected one for each of 4 layers");
  refuses(with(lfm2_moe(), "layer_types", 3), "\"layer_types\": wrong type");
  refuses(with(lfm2(), "full_attn_idxs", {2, 6}), "\"full_attn_idxs\": out of range");
  refuses(with(lfm2(), "full_attn_idxs", Json::array()), "layers of both kinds");
  refuses(without(lfm2(), "full_attn_idxs"), "layers of both kinds");
  refuses(with(lfm2(), "layer_types",
               {"conv", "full_attention", "conv", "conv", "conv", "full_attention"}),
          "\"full_attn_idxs\": differs from \"layer_types\"");
  refuses(with(lfm2(), "conv_L_cache", 0), "\"conv_L_cache\": out of range");
  refuses(with(lfm2(), "conv_L_cache", 1), "\"conv_L_cache\": out of range: expected 2 to");
  refuses(with(lfm2(), "conv_L_cache", 1e9), "\"conv_L_cache\": ");
  refuses(with(lfm2(), "block_ff_dim", 1000), "\"block_ff_dim\": differs");
  refuses(with(lfm2(), "conv_dim", 1024), "\"conv_dim\": differs from \"hidden_size\"");
  refuses(with(lfm2(), "num_heads", 16), "\"num_heads\": differs");
  refuses(with(lfm2(), "block_multiple_of", 0), "\"block_multiple_of\": out of range");
  refuses(with(lfm2(), "block_ffn_dim_multiplier", 1e300), "MLPs too large");
  refuses(with(lfm2(), "block_ffn_dim_multiplier", 1e-9), "MLPs too large or empty");
  refuses(with(lfm2(), "block_use_swiglu", false), "\"block_use_swiglu\": value not supported");
  refuses(with(lfm2(), "sliding_window", 64), "\"sliding_window\": field not known");
  refuses(with(lfm2_moe(), "use_expert_bias", false), "\"use_expert_bias\": value not supported");
  refuses(with(lfm2_moe(), "num_experts_per_tok", 9), "\"num_experts_per_tok\": out of range");
}

}  // namespace
}  // namespace zp
