// config.json of models with selective state spaces.
#include <gtest/gtest.h>

#include <limits>
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

// As Granite 4.0 h-tiny says it.
Json granite() {
  return parse_json(R"({"architectures": ["GraniteMoeHybridForCausalLM"],
    "model_type": "granitemoehybrid", "attention_bias": false, "attention_dropout": 0.0,
    "attention_multiplier": 0.0078125, "embedding_multiplier": 12, "hidden_act": "silu",
    "hidden_size": 64, "init_method": "mup", "intermediate_size": 32,
    "layer_types": ["mamba", "attention", "mamba"], "logits_scaling": 6, "logits_to_keep": 0,
    "mamba_chunk_size": 256, "mamba_conv_bias": true, "mamba_d_conv": 4, "mamba_d_head": 16,
    "mamba_d_state": 12, "mamba_expand": 2, "mamba_n_groups": 1, "mamba_n_heads": 8,
    "mamba_proj_bias": false, "max_position_embeddings": 512, "normalization_function": "rmsnorm",
    "num_attention_heads": 4, "num_experts_per_tok": 2, "num_hidden_layers": 3,
    "num_key_value_heads": 2, "num_local_experts": 6, "output_router_logits": false,
    "position_embedding_type": "nope", "residual_multiplier": 0.22, "rms_norm_eps": 1e-05,
    "rope_scaling": null, "rope_theta": 10000, "router_aux_loss_coef": 0.01,
    "shared_intermediate_size": 48, "tie_word_embeddings": true, "vocab_size": 100})",
                    "test");
}

Json dense() { return with(with(granite(), "num_local_experts", 0), "num_experts_per_tok", 0); }

TEST(StateSpaceConfig, SizesKindsOfLayersAndWhatStandsBehindThem) {
  const Decoder d = read(granite());
  EXPECT_EQ(d.space, (StateSpace{.heads = 8, .head_dim = 16, .groups = 1, .state = 12}));
  EXPECT_EQ(d.convolution, 4);
  EXPECT_TRUE(d.conv_bias);
  EXPECT_EQ(d.layer(0).mixer, Mixer::state_space);
  EXPECT_EQ(d.layer(1).mixer, Mixer::attention);
  EXPECT_EQ(d.layer(1).rope, RopeKind::none);
  EXPECT_EQ(d.state_floats(0), 3 * (128 + 24) + 128 * 12);
  EXPECT_EQ(d.experts,
            (Experts{.count = 6, .chosen = 2, .ffn = 32, .renormalized = true, .shared_ffn = 48}));
  EXPECT_EQ(d.logit_divisor, 6);
  const Decoder one = read(dense());
  EXPECT_EQ(one.ffn, 48);
  EXPECT_FALSE(one.layer(0).experts);
  EXPECT_EQ(read(with(granite(), "position_embedding_type", "rope")).layer(1).rope,
            RopeKind::global);
}

TEST(StateSpaceConfig, LimitsOfTimeSteps) {
  EXPECT_EQ(read(granite()).space.most_step, std::numeric_limits<double>::infinity());
  const Json limits = parse_json(R"([0.1, {"__float__": "Infinity"}])", "test");
  const StateSpace some = read(with(granite(), "time_step_limit", limits)).space;
  EXPECT_EQ(some.least_step, 0.1);
  EXPECT_EQ(some.most_step, std::numeric_limits<double>::infinity());
}

TEST(StateSpaceConfig, WhatIsWrittenReadsTheSame) {
  const Json limits = parse_json("[0.125, 2.0]", "test");
  for (const Json& config :
       {with(granite(), "time_step_limit", limits),
        with(with(dense(), "time_step_limit", limits), "mamba_n_groups", 2),
        with(with(granite(), "time_step_limit", limits), "position_embedding_type", "rope")}) {
    const Decoder d = read(config);
    const Json written = write_config(find_architecture(config, "test"), d);
    EXPECT_EQ(read(written), d) << written.dump_ascii();
  }
}

TEST(StateSpaceConfig, RefusesWhatItDoesNotComputeInOneLine) {
  refuses(with(granite(), "mamba_n_groups", 3), "\"mamba_n_groups\": doesn't divide");
  refuses(with(granite(), "mamba_n_heads", 7), "\"mamba_n_heads\": doesn't divide");
  refuses(with(granite(), "mamba_d_head", 32), "\"mamba_d_head\"");
  refuses(with(granite(), "mamba_d_conv", 1), "\"mamba_d_conv\"");
  refuses(with(granite(), "mamba_proj_bias", true), "\"mamba_proj_bias\"");
  refuses(with(granite(), "position_embedding_type", "learned"), "\"position_embedding_type\"");
  refuses(with(granite(), "layer_types", Json::array({"mamba", "attention"})),
          "\"layer_types\": wrong length");
  refuses(with(granite(), "layer_types", Json::array({"mamba", "mamba", "mamba"})),
          "not layers of both kinds");
  refuses(with(granite(), "layer_types", Json::array({"mamba", "window", "mamba"})),
          "kind of layer not known");
  refuses(with(granite(), "time_step_limit", Json::array({2.0, 1.0})),
          "\"time_step_limit\": out of order");
  refuses(with(granite(), "time_step_limit", Json::array({0.5})),
          "\"time_step_limit\": value not supported");
}

}  // namespace
}  // namespace zp
