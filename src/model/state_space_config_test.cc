// config.json of models with selective state spaces.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

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

// As Falcon-H1-1.5B says it.
Json falcon() {
  return parse_json(R"({"architectures": ["FalconH1ForCausalLM"], "model_type": "falcon_h1",
    "attention_bias": false, "attention_dropout": 0.0, "attention_in_multiplier": 1.5,
    "attention_out_multiplier": 0.9375, "embedding_multiplier": 5.656854249492381, "head_dim": 16,
    "hidden_act": "silu", "hidden_size": 64, "intermediate_size": 96, "key_multiplier": 0.5,
    "lm_head_multiplier": 0.0390625, "mamba_chunk_size": 256, "mamba_conv_bias": true,
    "mamba_d_conv": 4, "mamba_d_head": 16, "mamba_d_ssm": 96, "mamba_d_state": 12,
    "mamba_expand": 2, "mamba_n_groups": 2, "mamba_n_heads": 6, "mamba_norm_before_gate": false,
    "mamba_proj_bias": false, "mamba_rms_norm": false, "mamba_use_mlp": true,
    "max_position_embeddings": 512, "mlp_bias": false, "mlp_expansion_factor": 8,
    "mlp_multipliers": [0.75, 0.625], "num_attention_heads": 4, "num_hidden_layers": 2,
    "num_key_value_heads": 2, "num_logits_to_keep": 1, "projectors_bias": false,
    "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 100000000000.0,
    "ssm_in_multiplier": 1.25, "ssm_multipliers": [0.75, 0.25, 0.375, 0.5, 0.875],
    "ssm_out_multiplier": 0.25, "tie_word_embeddings": false, "vocab_size": 100})",
                    "test");
}

// As Nemotron 3 Nano says it.
Json nemotron() {
  return parse_json(R"({"architectures": ["NemotronHForCausalLM"], "model_type": "nemotron_h",
    "attention_bias": false, "chunk_size": 128, "conv_kernel": 4, "expand": 2, "head_dim": 16,
    "hidden_size": 64, "hybrid_override_pattern": "ME*-M", "intermediate_size": 96,
    "layer_norm_epsilon": 1e-05, "mamba_head_dim": 16, "mamba_hidden_act": "silu",
    "mamba_num_heads": 6, "mamba_proj_bias": false, "max_position_embeddings": 512,
    "mlp_bias": false, "mlp_hidden_act": "relu2", "moe_intermediate_size": 32,
    "moe_shared_expert_intermediate_size": 48, "n_group": 1, "n_groups": 2,
    "n_routed_experts": 8, "n_shared_experts": 1, "norm_topk_prob": true,
    "num_attention_heads": 4, "num_experts_per_tok": 2, "num_hidden_layers": 5,
    "num_key_value_heads": 2, "num_logits_to_keep": 1, "residual_in_fp32": false,
    "rescale_prenorm_residual": true, "routed_scaling_factor": 2.5, "ssm_state_size": 12,
    "tie_word_embeddings": false, "time_step_floor": 0.0001,
    "time_step_limit": [0.0, {"__float__": "Infinity"}], "topk_group": 1, "use_bias": false,
    "use_conv_bias": true, "vocab_size": 100})",
                    "test");
}

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

TEST(StateSpaceConfig, FalconsLayersHaveBothAndMultipliersAreOfWeights) {
  const Decoder d = read(falcon());
  EXPECT_EQ(d.space,
            (StateSpace{.heads = 6, .head_dim = 16, .groups = 2, .state = 12, .normed = false}));
  EXPECT_EQ(d.layer(1).mixer, Mixer::attention_and_space);
  EXPECT_EQ(d.state_floats(0), 3 * (96 + 48) + 96 * 12);
  EXPECT_EQ(d.attention_layers(), 2);
  const std::vector<WeightFactor> factors = {{Role::embedding, 5.656854249492381},
                                             {Role::head, 0.0390625},
                                             {Role::query, 1.5},
                                             {Role::key, 0.75},
                                             {Role::value, 1.5},
                                             {Role::attention_output, 0.9375},
                                             {Role::space_out, 0.25},
                                             {Role::gate, 0.75},
                                             {Role::down, 0.625},
                                             {Role::space_in, 1.25 * 0.75, 0, 96},
                                             {Role::space_in, 1.25 * 0.25, 96, 96},
                                             {Role::space_in, 1.25 * 0.375, 192, 24},
                                             {Role::space_in, 1.25 * 0.5, 216, 24},
                                             {Role::space_in, 1.25 * 0.875, 240, 6}};
  EXPECT_EQ(d.factors, factors);
  Json expanded = with(with(falcon(), "mamba_d_ssm", nullptr), "mamba_n_heads", 8);
  EXPECT_EQ(read(expanded).space.columns(), 128);
  EXPECT_TRUE(read(with(falcon(), "mamba_rms_norm", true)).space.normed);
}

TEST(StateSpaceConfig, NemotronsLayersAreOneThingEach) {
  const Decoder d = read(nemotron());
  EXPECT_EQ(d.layers, 5);
  EXPECT_EQ(d.activation, Activation::squared_relu);
  EXPECT_FALSE(d.gated);
  const auto layer = [](Mixer mixer, bool feeds, bool experts) {
    Layer made;
    made.rope = RopeKind::none;
    made.mixer = mixer;
    made.feeds = feeds;
    made.experts = experts;
    return made;
  };
  EXPECT_EQ(d.rows,
            (std::vector{layer(Mixer::state_space, false, false), layer(Mixer::none, true, true),
                         layer(Mixer::attention, false, false), layer(Mixer::none, true, false),
                         layer(Mixer::state_space, false, false)}));
  EXPECT_EQ(d.experts, (Experts{.count = 8,
                                .chosen = 2,
                                .ffn = 32,
                                .routing = Routing::sigmoid,
                                .renormalized = true,
                                .scale = 2.5,
                                .shared_ffn = 48}));
  EXPECT_EQ(read(with(nemotron(), "moe_latent_size", 24)).experts.width, 24);
  EXPECT_EQ(read(with(nemotron(), "moe_latent_size", nullptr)), d);
  Json listed = with(nemotron(), "layers_block_type",
                     Json::array({"mamba", "moe", "attention", "mlp", "mamba"}));
  EXPECT_EQ(read(listed), d);
  listed.erase("layers_block_type");
  listed.erase("num_hidden_layers");
  listed["layer_types"] = {"linear_attention", "moe", "full_attention", "mlp", "linear_attention"};
  EXPECT_EQ(read(listed), d);
  EXPECT_EQ(read(with(nemotron(), "hybrid_override_pattern", "M-*-M")).experts,
            (Experts{.routing = Routing::sigmoid}));
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
        with(with(granite(), "time_step_limit", limits), "position_embedding_type", "rope"),
        with(falcon(), "time_step_limit", limits),
        with(with(falcon(), "mamba_rms_norm", true), "time_step_limit", limits),
        with(nemotron(), "time_step_limit", limits),
        with(with(nemotron(), "moe_latent_size", 24), "time_step_limit", limits),
        with(with(nemotron(), "hybrid_override_pattern", "M-*-M"), "time_step_limit", limits)}) {
    Decoder d = read(config);
    for (WeightFactor& factor : d.factors) factor.factor = 1;  // as where weights have them
    const Json written = write_config(find_architecture(config, "test"), d);
    EXPECT_EQ(read(written), d) << written.dump_ascii();
    // transformers takes a 0 for a size.
    EXPECT_EQ(written.contains("moe_latent_size"), d.experts.width > 0);
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
  refuses(with(falcon(), "mamba_n_heads", 5), "\"mamba_n_heads\": doesn't divide");
  refuses(with(falcon(), "mamba_d_head", 8), "\"mamba_d_head\"");
  refuses(with(falcon(), "ssm_multipliers", Json::array({1.0, 1.0})), "\"ssm_multipliers\"");
  refuses(with(falcon(), "mlp_multipliers", Json::array({1.0, 0.0})), "\"mlp_multipliers\"");
  refuses(with(falcon(), "key_multiplier", -1.0), "\"key_multiplier\"");
  refuses(with(falcon(), "projectors_bias", true), "\"projectors_bias\"");
  refuses(with(with(falcon(), "mamba_rms_norm", true), "mamba_norm_before_gate", true),
          "\"mamba_norm_before_gate\"");
  refuses(with(nemotron(), "hybrid_override_pattern", "ME*XM"),
          "\"hybrid_override_pattern\": kind of layer not known");
  refuses(with(nemotron(), "hybrid_override_pattern", ""), "\"hybrid_override_pattern\"");
  refuses(with(nemotron(), "num_hidden_layers", 4), "\"num_hidden_layers\": differs");
  refuses(with(nemotron(), "layer_types", Json::array({"mamba", "window"})),
          "\"layer_types\": kind of layer not known");
  refuses(with(nemotron(), "moe_latent_size", -1), "\"moe_latent_size\"");
  refuses(with(nemotron(), "use_bias", true), "\"use_bias\"");
  refuses(with(nemotron(), "n_groups", 4), "\"n_groups\": doesn't divide");
  refuses(with(nemotron(), "topk_group", 2), "\"topk_group\"");
  refuses(with(with(nemotron(), "n_group", 3), "topk_group", 2), "\"n_group\": doesn't part");
  refuses(with(nemotron(), "moe_intermediate_size", 0), "\"n_routed_experts\"");
}

}  // namespace
}  // namespace zp
