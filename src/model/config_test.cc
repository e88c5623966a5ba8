// config.json of every architecture: what is read, and what is refused by name.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/json_file.h"
#include "model/architecture.h"
#include "model/config_writer.h"

namespace zp {
namespace {

Json with(Json config, const char* key, Json value) {
  config[key] = std::move(value);
  return config;
}

Json llama() {
  return parse_json(R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64,
    "intermediate_size": 172, "num_hidden_layers": 2, "num_attention_heads": 8,
    "num_key_value_heads": 4, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
    "vocab_size": 512, "torch_dtype": "float32"})",
                    "test");
}

Json phi3_longrope() {
  return parse_json(R"({"architectures": ["Phi3ForCausalLM"], "hidden_size": 64,
    "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 4096, "original_max_position_embeddings": 1024, "vocab_size": 512,
    "partial_rotary_factor": 0.75, "sliding_window": 2047,
    "rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1, 1, 1], "long_factor": [1, 2, 3, 4, 5, 6]}})",
                    "test");
}

Json gemma2() {
  return parse_json(R"({"architectures": ["Gemma2ForCausalLM"], "hidden_size": 64,
    "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 32,
    "num_key_value_heads": 2, "max_position_embeddings": 8192, "query_pre_attn_scalar": 16,
    "vocab_size": 512})",
                    "test");
}

Json gemma3() {
  return parse_json(R"({"architectures": ["Gemma3ForCausalLM"], "hidden_size": 64,
    "intermediate_size": 96, "num_hidden_layers": 7, "num_attention_heads": 4, "head_dim": 32,
    "num_key_value_heads": 2, "max_position_embeddings": 8192, "sliding_window": 512,
    "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "vocab_size": 512})",
                    "test");
}

Json smollm3() { return with(llama(), "architectures", {"SmolLM3ForCausalLM"}); }

Json granite() {
  Json config = with(llama(), "architectures", {"GraniteForCausalLM"});
  config["embedding_multiplier"] = 12;
  config["attention_multiplier"] = 0.015625;
  config["residual_multiplier"] = 0.22;
  config["logits_scaling"] = 49;
  return config;
}

Json olmo3() {
  return with(with(llama(), "architectures", {"Olmo3ForCausalLM"}), "num_hidden_layers", 5);
}

// As Mixtral's, Phi-3.5-MoE's, GLM-4.5-Air's and Qwen3-30B-A3B's config.json say it, but for sizes
// that make no difference.
Json mixtral() {
  return parse_json(R"({"architectures": ["MixtralForCausalLM"], "hidden_size": 64,
    "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 32768, "rms_norm_eps": 1e-05,
    "num_experts_per_tok": 2, "num_local_experts": 8, "output_router_logits": false,
    "rope_theta": 1e6, "router_aux_loss_coef": 0.02, "sliding_window": null,
    "tie_word_embeddings": false, "vocab_size": 512, "router_jitter_noise": 0.0})",
                    "test");
}

Json phimoe() {
  return parse_json(R"({"architectures": ["PhiMoEForCausalLM"], "model_type": "phimoe",
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 131072, "rms_norm_eps": 1e-05,
    "original_max_position_embeddings": 4096, "num_experts_per_tok": 2, "num_local_experts": 16,
    "attention_bias": true, "lm_head_bias": true, "hidden_act": "silu", "rope_theta": 10000.0,
    "router_jitter_noise": 0.01, "input_jitter_noise": 0.01, "output_router_logits": false,
    "router_aux_loss_coef": 0.0, "sliding_window": 131072, "vocab_size": 512,
    "tie_word_embeddings": false, "attention_dropout": 0.0, "hidden_dropout": 0.0,
    "rope_scaling": {"type": "longrope", "original_max_position_embeddings": 4096,
      "short_mscale": 1.243163121016122, "long_mscale": 1.243163121016122,
      "short_factor": [1, 1, 1, 1, 1, 1, 1, 1], "long_factor": [1, 2, 3, 4, 5, 6, 7, 8]}})",
                    "test");
}

Json glm4_moe() {
  return parse_json(R"({"architectures": ["Glm4MoeForCausalLM"], "model_type": "glm4_moe",
    "attention_bias": true, "head_dim": 32, "hidden_size": 64, "partial_rotary_factor": 0.5,
    "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 131072, "moe_intermediate_size": 32,
    "n_group": 1, "n_routed_experts": 8, "n_shared_experts": 1, "norm_topk_prob": true,
    "num_experts_per_tok": 2, "first_k_dense_replace": 1, "num_nextn_predict_layers": 1,
    "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 1000000,
    "routed_scaling_factor": 1.0, "tie_word_embeddings": false, "topk_group": 1,
    "use_qk_norm": false, "vocab_size": 512})",
                    "test");
}

// As gpt-oss-20b's config.json says it, but for sizes that make no difference.
Json gpt_oss() {
  return parse_json(R"({"architectures": ["GptOssForCausalLM"], "model_type": "gpt_oss",
    "attention_bias": true, "attention_dropout": 0.0, "experts_per_token": 4, "head_dim": 64,
    "hidden_act": "silu", "hidden_size": 96, "initial_context_length": 4096,
    "intermediate_size": 96, "num_hidden_layers": 3, "max_position_embeddings": 131072,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    "num_attention_heads": 8, "num_key_value_heads": 2, "num_experts_per_tok": 4,
    "num_local_experts": 32, "output_router_logits": false, "rms_norm_eps": 1e-05,
    "rope_scaling": {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 32.0,
      "original_max_position_embeddings": 4096, "rope_type": "yarn", "truncate": false},
    "rope_theta": 150000, "router_aux_loss_coef": 0.9, "sliding_window": 128,
    "swiglu_limit": 7.0, "tie_word_embeddings": false, "vocab_size": 512})",
                    "test");
}

Json qwen3_moe() {
  return parse_json(R"({"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe",
    "attention_bias": false, "decoder_sparse_step": 1, "head_dim": 32, "hidden_size": 64,
    "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 40960, "max_window_layers": 48,
    "mlp_only_layers": [], "moe_intermediate_size": 32, "norm_topk_prob": true, "num_experts": 8,
    "num_experts_per_tok": 2, "output_router_logits": false, "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0, "router_aux_loss_coef": 0.001, "sliding_window": null,
    "use_sliding_window": false, "vocab_size": 512})",
                    "test");
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

::testing::AssertionResult refuses(const Json& config, const std::string& naming) {
  const std::string text = refusal(config);
  if (text != "accepted" && text.find(naming) != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << text;
}

Layer with_window(std::optional<std::int64_t> window, RopeKind rope = RopeKind::global) {
  Layer layer;
  layer.window = window;
  layer.rope = rope;
  return layer;
}

TEST(Config, ReadsLlama) {
  const Decoder d = read(llama());
  EXPECT_EQ(d.architecture, "llama");
  EXPECT_EQ(d.head_dim, 8);
  EXPECT_EQ(d.kv_heads, 4);
  EXPECT_EQ(d.rope.dims, 8);
  EXPECT_EQ(d.rope.theta, 10000);
  EXPECT_EQ(d.rope.scaling, RopeScaling::none);
  EXPECT_FALSE(d.tied);
}

TEST(Config, ReadsRopeAsTransformers4And5WriteIt) {
  const Json scaling = {{"factor", 8.0},
                        {"low_freq_factor", 1.0},
                        {"high_freq_factor", 4.0},
                        {"original_max_position_embeddings", 256},
                        {"rope_type", "llama3"}};
  Json old = with(with(llama(), "rope_scaling", scaling), "rope_theta", 500000.0);
  Json parameters = scaling;
  parameters["rope_theta"] = 500000.0;
  for (const Json& config : {old, with(llama(), "rope_parameters", parameters)}) {
    const Rope rope = read(config).rope;
    EXPECT_EQ(rope.scaling, RopeScaling::llama3);
    EXPECT_EQ(rope.theta, 500000);
    EXPECT_EQ(rope.factor, 8);
    EXPECT_EQ(rope.original_context, 256);
  }
}

TEST(Config, RefusesRopeThatContradictsItself) {
  const Json parameters = {{"rope_type", "default"}, {"rope_theta", 1e6}};
  EXPECT_TRUE(
      refuses(with(with(llama(), "rope_parameters", parameters), "rope_theta", 1e4), "rope_theta"));
}

TEST(Config, RefusesRopeTypesByName) {
  EXPECT_TRUE(
      refuses(with(llama(), "rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}), "dynamic"));
  const Json llama3 = {{"rope_type", "llama3"}, {"factor", 8.0}};
  EXPECT_TRUE(refuses(with(phi3_longrope(), "rope_scaling", llama3), "llama3"));
  EXPECT_TRUE(
      refuses(with(llama(), "rope_scaling", {{"type", "linear"}, {"factor", 2.0}, {"what", 1}}),
              "\"what\""));
}

TEST(Config, ReadsYarn) {
  const Json yarn = {{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 128}};
  const Rope rope = read(with(llama(), "rope_scaling", yarn)).rope;
  EXPECT_EQ(rope.scaling, RopeScaling::yarn);
  EXPECT_NEAR(rope.attention_factor, 1.138629436, 1e-9);  // 0.1 ln 4 + 1
  EXPECT_EQ(rope.original_context, 128);
}

TEST(Config, ReadsLongrope) {
  const Decoder d = read(phi3_longrope());
  EXPECT_EQ(d.rope.scaling, RopeScaling::longrope);
  EXPECT_EQ(d.rope.dims, 12);
  EXPECT_EQ(d.rope.long_factor.back(), 6);
  EXPECT_NEAR(d.rope.attention_factor, 1.095445115, 1e-9);  // sqrt(1 + ln 4 / ln 1024) = sqrt 1.2
  EXPECT_EQ(d.window(), 2047);
}

TEST(Config, RefusesLongropeFactorsOfTheWrongLength) {
  Json config = phi3_longrope();
  config["rope_scaling"]["long_factor"].push_back(7);
  EXPECT_TRUE(refuses(config, "long_factor"));
}

TEST(Config, RefusesPartialRotationWhereItIsUnknown) {
  EXPECT_TRUE(refuses(with(llama(), "partial_rotary_factor", 0.5), "partial_rotary_factor"));
}

TEST(Config, MistralTakesItsDefaultWindowOnlyWhenTheFieldIsAbsent) {
  Json config = with(llama(), "model_type", "mistral");
  config["architectures"] = {"MistralForCausalLM"};
  EXPECT_EQ(read(config).window(), 4096);
  EXPECT_EQ(read(with(config, "sliding_window", nullptr)).window(), std::nullopt);
  EXPECT_EQ(read(with(config, "sliding_window", 1024)).window(), 1024);
  EXPECT_TRUE(refuses(with(llama(), "sliding_window", 1024), "sliding_window"));
}

TEST(Config, MistralIsKnownByItsClassWhereTheTypeIsMissing) {
  const Json mistral = with(llama(), "architectures", {"MistralForCausalLM"});
  EXPECT_EQ(read(mistral).window(), 4096);
  EXPECT_EQ(read(with(mistral, "model_type", "llama")).window(), std::nullopt);
  EXPECT_EQ(read(with(llama(), "model_type", "mistral")).window(), 4096);
}

TEST(Config, TheTypeDecidesAndAClassOfAnotherArchitectureIsRefused) {
  EXPECT_TRUE(refuses(with(llama(), "model_type", "gemma"), "\"model_type\": architecture not"));
  EXPECT_TRUE(refuses(with(llama(), "model_type", "qwen2"), "\"architectures\": class of another"));
  EXPECT_TRUE(refuses(with(with(llama(), "model_type", "llama"), "architectures",
                           {"LlamaForSequenceClassification"}),
                      "LlamaForSequenceClassification"));
  // Saved without its head.
  EXPECT_EQ(read(with(llama(), "architectures", {"LlamaModel"})).architecture, "llama");
  EXPECT_EQ(read(with(with(llama(), "architectures", {"LlamaModel", "LlamaForCausalLM"}),
                      "model_type", "llama"))
                .architecture,
            "llama");
}

TEST(Config, EveryClassWithoutAHeadHasOneWith) {
  EXPECT_EQ(class_with_head("MistralModel"), "MistralForCausalLM");
  EXPECT_EQ(class_with_head("GPT2LMHeadModel"), "GPT2LMHeadModel");
  for (const Architecture* a : architectures())
    EXPECT_EQ(a->inner_classes.size(), a->hf_classes.size()) << a->name;
}

TEST(Config, KindsThatAreNotReadAreNamed) {
  const auto unread = [](const char* type, const char* field, const Json& value) {
    return with(with(llama(), "model_type", type), field, value);
  };
  EXPECT_TRUE(refuses(unread("jamba", "num_local_experts", 8), "a mixture of experts"));
  EXPECT_TRUE(refuses(unread("olmoe", "num_experts", 128), "a mixture of experts"));
  EXPECT_TRUE(
      refuses(unread("llava", "vision_config", {{"depth", 1}}), "a model that sees images"));
  EXPECT_TRUE(refuses(unread("t5", "is_encoder_decoder", true), "an encoder with a decoder"));
  EXPECT_FALSE(refuses(unread("other", "is_encoder_decoder", false), "encoder with"));
  EXPECT_TRUE(refuses(with(llama(), "num_experts", 4), "a mixture of experts"));
}

// What gpt2-medium, gpt2-xl, distilgpt2 and their like have beside what transformers writes today.
TEST(Config, FieldsOfPublishedGpt2ConfigsChangeNothing) {
  const Json plain = parse_json(R"({"architectures": ["GPT2LMHeadModel"], "n_embd": 64,
    "n_head": 4, "n_layer": 2, "n_positions": 128, "vocab_size": 512})",
                                "test");
  Json published = plain;
  published.update(parse_json(R"({"_num_labels": 1, "_commit_hash": "0", "n_ctx": 128,
    "n_special": 0, "predict_special_tokens": true, "output_past": true, "xla_device": null,
    "eos_token_ids": 0, "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0},
    "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}}})",
                              "test"));
  EXPECT_EQ(read(published), read(plain));
}

TEST(Config, QwenSlidesFromALayerOn) {
  Json config = llama();
  config["architectures"] = {"Qwen2ForCausalLM"};
  config["sliding_window"] = 128;
  config["max_window_layers"] = 1;
  EXPECT_EQ(read(config).window(), std::nullopt);
  config["use_sliding_window"] = true;
  EXPECT_EQ(read(config).window(), 128);
  EXPECT_EQ(read(config).rows, (std::vector{Layer{}, with_window(128)}));
  config["layer_types"] = {"full_attention", "sliding_attention"};
  EXPECT_EQ(read(config).rows, (std::vector{Layer{}, with_window(128)}));
  config["layer_types"] = {"sliding_attention", "full_attention"};
  EXPECT_TRUE(refuses(config, "layer_types"));
}

TEST(Config, Qwen3HasAHeadSizeOfItsOwn) {
  Json config = llama();
  config["architectures"] = {"Qwen3ForCausalLM"};
  EXPECT_EQ(read(config).head_dim, 128);
  EXPECT_EQ(read(with(config, "head_dim", 16)).head_dim, 16);
  EXPECT_TRUE(refuses(with(config, "attention_bias", true), "attention_bias"));
}

TEST(Config, ReadsExperts) {
  const Experts m = read(mixtral()).experts;
  EXPECT_EQ(m, (Experts{.count = 8, .chosen = 2, .ffn = 96, .renormalized = true}));
  const Experts p = read(phimoe()).experts;
  EXPECT_EQ(p, (Experts{.count = 16, .chosen = 2, .ffn = 96, .routing = Routing::sparsemixer}));
  const Decoder g = read(glm4_moe());
  EXPECT_EQ(g.experts, (Experts{.count = 8,
                                .chosen = 2,
                                .ffn = 32,
                                .routing = Routing::sigmoid,
                                .renormalized = true,
                                .shared_ffn = 32}));
  EXPECT_EQ(g.rope.dims, 16);
  EXPECT_FALSE(g.layer(0).experts);
  EXPECT_TRUE(g.layer(1).experts);
}

TEST(Config, RefusesExpertsThatCannotBeChosen) {
  for (const Json& config : {mixtral(), glm4_moe(), qwen3_moe()}) {
    EXPECT_TRUE(refuses(with(config, "num_experts_per_tok", 9),
                        "\"num_experts_per_tok\": out of range: expected 1 to 8, found 9"));
  }
  EXPECT_TRUE(refuses(with(phimoe(), "num_experts_per_tok", 3), "num_experts_per_tok"));
  EXPECT_TRUE(refuses(with(phimoe(), "num_local_experts", 1), "2 to 4096"));
  EXPECT_TRUE(refuses(with(glm4_moe(), "n_group", 3), "n_group"));
  EXPECT_TRUE(refuses(with(glm4_moe(), "n_group", 8), "n_group"));
  EXPECT_TRUE(
      refuses(with(with(glm4_moe(), "n_group", 4), "num_experts_per_tok", 3), "topk_group"));
  EXPECT_TRUE(refuses(with(glm4_moe(), "scoring_func", "softmax"), "scoring_func"));
  EXPECT_TRUE(refuses(with(qwen3_moe(), "mlp_only_layers", {2}), "integers from 0 to 1"));
}

TEST(Config, PhiMoeStatesItsAttentionFactors) {
  EXPECT_EQ(read(phimoe()).rope.attention_factor, 1.243163121016122);
  EXPECT_EQ(read(phimoe()).rope.long_attention_factor, 0);
  Json config = phimoe();
  config["rope_scaling"]["long_mscale"] = 1.5;
  EXPECT_EQ(read(config).rope.long_attention_factor, 1.5);
  config["rope_scaling"].erase("long_mscale");
  EXPECT_TRUE(refuses(config, "long_mscale"));
  EXPECT_EQ(read(with(phimoe(), "rope_scaling", nullptr)).rope.scaling, RopeScaling::none);
}

TEST(Config, WhatIsWrittenReadsBackEqual) {
  const Json yarn = {{"rope_type", "yarn"}, {"factor", 4}, {"attention_factor", 1.25}};
  const Json llama3 = {{"rope_type", "llama3"},
                       {"factor", 8},
                       {"low_freq_factor", 1},
                       {"high_freq_factor", 4},
                       {"original_max_position_embeddings", 64}};
  const Json mistral =
      with(with(llama(), "architectures", {"MistralForCausalLM"}), "model_type", "mistral");
  const Json qwen2 = with(llama(), "architectures", {"Qwen2ForCausalLM"});
  const Json phi = parse_json(R"({"architectures": ["PhiForCausalLM"], "hidden_size": 64,
    "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 512,
    "max_position_embeddings": 128, "partial_rotary_factor": 0.5})",
                              "test");
  const Json gpt2 = parse_json(R"({"architectures": ["GPT2LMHeadModel"], "n_embd": 64, "n_head": 4,
    "n_layer": 2, "n_positions": 128, "vocab_size": 512})",
                               "test");
  const std::vector<Json> configs = {
      llama(),
      with(with(llama(), "attention_bias", true), "tie_word_embeddings", true),
      with(llama(), "rope_scaling", yarn),
      with(llama(), "rope_scaling", llama3),
      with(mistral, "sliding_window", 32),
      qwen2,
      with(with(with(qwen2, "use_sliding_window", true), "sliding_window", 16), "max_window_layers",
           1),
      with(llama(), "architectures", {"Qwen3ForCausalLM"}),
      phi3_longrope(),
      with(phi3_longrope(), "sliding_window", nullptr),
      phi,
      gpt2,
      gemma2(),
      with(gemma2(), "attn_logit_softcapping", nullptr),
      with(gemma2(), "tie_word_embeddings", false),
      with(gemma2(), "sliding_window", nullptr),
      gemma3(),
      with(with(gemma3(), "sliding_window_pattern", 3), "rope_local_base_freq", 300.0),
      with(gemma3(), "layer_types", Json(std::vector<std::string>(7, "full_attention"))),
      smollm3(),
      with(smollm3(), "no_rope_layers", {1, 0}),
      granite(),
      with(llama(), "architectures", {"Olmo2ForCausalLM"}),
      olmo3(),
      with(with(olmo3(), "rope_theta", 1e4), "rope_scaling", yarn),
      mixtral(),
      phimoe(),
      with(with(phimoe(), "rope_scaling", nullptr), "original_max_position_embeddings", nullptr),
      glm4_moe(),
      with(with(glm4_moe(), "n_group", 4), "first_k_dense_replace", 2),
      qwen3_moe(),
      with(qwen3_moe(), "mlp_only_layers", {0}),
      gpt_oss(),
      with(gpt_oss(), "swiglu_limit", 5.0),
  };
  for (const Json& config : configs) {
    const Decoder decoder = read(config);
    EXPECT_EQ(read(write_config(find_architecture(config, "test"), decoder)), decoder) << config;
  }
}

TEST(Config, ReadsGptOss) {
  const Decoder d = read(gpt_oss());
  EXPECT_EQ(d.experts, (Experts{.count = 32, .chosen = 4, .ffn = 96, .renormalized = true}));
  EXPECT_EQ(d.expert_limit, 7);
  EXPECT_EQ(d.activation, Activation::gelu_sigmoid);
  EXPECT_EQ(d.head_dim, 64);
  EXPECT_TRUE(d.layer(1).experts);
  EXPECT_EQ(window_period(d), 2);
  EXPECT_EQ(d.window(), 128);
  EXPECT_EQ(d.rope.theta, 150000);
  EXPECT_EQ(d.rope.factor, 32);
  EXPECT_EQ(d.rope.original_context, 4096);
  EXPECT_FALSE(d.rope.truncate);
  EXPECT_EQ(d.rope.attention_factor, 0.1 * std::log(32.0) + 1);
  // What is left out is GptOssConfig's own.
  Json config = gpt_oss();
  for (const char* key : {"head_dim", "layer_types", "rope_scaling", "rope_theta", "sliding_window",
                          "swiglu_limit", "initial_context_length"})
    config.erase(key);
  EXPECT_EQ(read(config), d);
}

TEST(Config, RefusesWhatGptOssDoesNotHave) {
  EXPECT_TRUE(refuses(with(gpt_oss(), "experts_per_token", 2), "experts_per_token"));
  EXPECT_TRUE(refuses(with(gpt_oss(), "swiglu_alpha", 1.0), "swiglu_alpha"));
  EXPECT_TRUE(refuses(with(gpt_oss(), "swiglu_limit", 0), "swiglu_limit"));
  EXPECT_TRUE(refuses(with(gpt_oss(), "sliding_window", nullptr), "sliding_window"));
  EXPECT_TRUE(refuses(with(gpt_oss(), "attention_bias", false), "attention_bias"));
  EXPECT_TRUE(refuses(with(gpt_oss(), "layer_types", {"full_attention"}), "3 layers"));
}

TEST(Config, ReadsGemma2) {
  const Decoder d = read(gemma2());
  EXPECT_EQ(d.head_dim, 32);
  EXPECT_EQ(d.embedding_scale, 8);
  EXPECT_EQ(d.attention_scale, 0.25);
  EXPECT_EQ(d.attention_soft_cap, 50);
  EXPECT_EQ(d.logit_soft_cap, 30);
  EXPECT_TRUE(d.tied && d.norm_plus_one);
  EXPECT_EQ(d.layer(0).window, 4096);
  EXPECT_EQ(d.layer(1).window, std::nullopt);
  EXPECT_TRUE(refuses(with(gemma2(), "layer_types", {"full_attention", "sliding_attention"}),
                      "layer_types"));
}

TEST(Config, ReadsGemma3) {
  const Decoder d = read(gemma3());
  EXPECT_EQ(d.architecture, "gemma3");
  EXPECT_EQ(d.attention_scale, 1.0 / 16);
  EXPECT_EQ(d.rope.theta, 1e6);
  EXPECT_EQ(d.rope.scaling, RopeScaling::linear);
  EXPECT_EQ(d.local_rope.theta, 1e4);
  EXPECT_EQ(d.local_rope.scaling, RopeScaling::none);
  EXPECT_EQ(d.layer(4), with_window(512, RopeKind::local));
  EXPECT_EQ(d.layer(5), with_window(std::nullopt, RopeKind::global));
  EXPECT_EQ(d.layer(6), with_window(512, RopeKind::local));
  EXPECT_TRUE(refuses(with(gemma3(), "attn_logit_softcapping", 50.0), "attn_logit_softcapping"));
}

TEST(Config, RopeParametersOfEachKindOfLayerSayTheSame) {
  Json config = gemma3();
  config.erase("rope_scaling");
  config["rope_parameters"] = parse_json(R"({
    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}})",
                                         "test");
  EXPECT_EQ(read(config), read(gemma3()));
  config["rope_parameters"]["sliding_attention"]["rope_theta"] = 300.0;
  EXPECT_EQ(read(config).local_rope.theta, 300);
  config["rope_parameters"]["sliding_attention"]["rope_type"] = "yarn";
  EXPECT_TRUE(refuses(config, "yarn"));
  config["rope_parameters"]["no_attention"] = Json::object();
  EXPECT_TRUE(refuses(config, "kind of layer"));
}

TEST(Config, LayerTypesAreOneKnownWordForEachLayer) {
  EXPECT_TRUE(refuses(with(gemma3(), "layer_types", {"full_attention"}), "7 layers"));
  std::vector<std::string> types(7, "sliding_attention");
  types[2] = "full_attention";
  const Decoder d = read(with(gemma3(), "layer_types", types));
  EXPECT_EQ(d.layer(1).window, 512);
  EXPECT_EQ(d.layer(2).window, std::nullopt);
  EXPECT_EQ(window_period(d), std::nullopt);
  types[2] = "chunked_attention";
  EXPECT_TRUE(refuses(with(gemma3(), "layer_types", types), "chunked_attention"));
}

TEST(Config, ReadsLayersWithoutRotation) {
  const auto kinds = [](const Json& config) {
    std::string text;
    const Decoder d = read(config);
    for (std::int64_t i = 0; i < d.layers; ++i)
      text += d.layer(i).rope == RopeKind::none ? "-" : "r";
    return text;
  };
  const Json config = with(smollm3(), "num_hidden_layers", 6);
  EXPECT_EQ(kinds(config), "rrr-rr");
  EXPECT_EQ(kinds(with(config, "no_rope_layer_interval", 2)), "r-r-r-");
  EXPECT_EQ(kinds(with(config, "no_rope_layers", {0, 1, 1, 1, 0, 1})), "-rrr-r");
  EXPECT_TRUE(refuses(with(config, "no_rope_layers", {0, 1}), "6 layers"));
  EXPECT_TRUE(refuses(with(config, "no_rope_layers", {0, 1, 1, 1, 0, 2}), "0 or 1"));
  EXPECT_TRUE(refuses(with(config, "use_sliding_window", true), "use_sliding_window"));
}

TEST(Config, ReadsGranitesMultipliers) {
  const Decoder d = read(granite());
  EXPECT_EQ(d.embedding_scale, 12);
  EXPECT_EQ(d.attention_scale, 1.0 / 64);
  EXPECT_EQ(d.residual_scale, 0.22);
  EXPECT_EQ(d.logit_divisor, 49);
}

TEST(Config, ReadsOlmo3) {
  const Decoder d = read(olmo3());
  EXPECT_EQ(d.rope.theta, 500000);
  EXPECT_EQ(d.local_rope.theta, 500000);
  EXPECT_EQ(d.layer(2), with_window(4096, RopeKind::local));
  EXPECT_EQ(d.layer(3), with_window(std::nullopt, RopeKind::global));
  EXPECT_EQ(read(with(olmo3(), "architectures", {"Olmo2ForCausalLM"})).window(), std::nullopt);
}

TEST(Config, RefusesFieldsItDoesNotKnow) {
  EXPECT_TRUE(refuses(with(llama(), "num_experts", 8), "\"num_experts\""));
  EXPECT_TRUE(refuses(with(llama(), "quantization_config", Json::object()), "quantization_config"));
  EXPECT_EQ(refusal(with(llama(), "num_experts", nullptr)), "accepted");
  EXPECT_TRUE(refuses(with(llama(), "is_encoder_decoder", true), "is_encoder_decoder"));
}

TEST(Config, RefusesActivationsByName) {
  EXPECT_TRUE(refuses(with(llama(), "hidden_act", "tanh"), "tanh"));
  EXPECT_TRUE(refuses(with(llama(), "hidden_act", 3), "hidden_act"));
}

TEST(Config, RefusesSizesOutOfRange) {
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads",
                          "num_key_value_heads", "vocab_size", "intermediate_size"}) {
    for (const Json& value :
         {Json(0), Json(-8), Json(INT64_MAX), Json(UINT64_MAX), Json(1.5), Json("8")}) {
      EXPECT_TRUE(refuses(with(llama(), key, value), key)) << value;
    }
  }
  EXPECT_TRUE(refuses(with(llama(), "num_key_value_heads", 3), "8 and 3"));
  EXPECT_TRUE(refuses(with(llama(), "num_attention_heads", 12), "64 and 12"));
  EXPECT_TRUE(refuses(with(llama(), "rms_norm_eps", 0.0), "rms_norm_eps"));
}

TEST(Config, RefusesArchitecturesByName) {
  EXPECT_TRUE(refuses(with(llama(), "architectures", {"MambaForCausalLM"}), "MambaForCausalLM"));
  EXPECT_TRUE(refuses(with(llama(), "architectures", Json::array()), "model_type"));
  Json by_type = llama();
  by_type.erase("architectures");
  EXPECT_EQ(read(with(by_type, "model_type", "llama")).architecture, "llama");
  EXPECT_TRUE(refuses(with(by_type, "model_type", "mamba"), "mamba"));
  EXPECT_TRUE(refuses(by_type, "model_type"));
  EXPECT_TRUE(refuses(Json::array(), "object"));
}

struct KnownModel {
  const char* file;
  std::int64_t parameters;
};

TEST(Config, KnownModelsHaveTheirParameters) {
  const std::filesystem::path folder = "../shared/data/configs";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  const KnownModel models[] = {
      {"gpt2", 124439808},
      {"gemma2_2b", 2614341888},
      {"llama3_1_8b", 8030261248},
      {"llama3_2_1b", 1235814400},
      {"phi-2", 2779683840},
      {"phi-3_5", 3821079552},
      {"phi-4", 3836021760},
      {"qwen2.5_3b", 3085938688},
      {"qwen2_0_5b", 494032768},
      {"smollm2_135m", 134515008},
      {"smollm2_360m", 361821120},
      {"smollm_135m", 134515008},
      {"tinyllama_1b_chat_v1.0", 1100048384},
  };
  for (const KnownModel& model : models) {
    const auto path = folder / (std::string(model.file) + ".config.json");
    const Json config = read_json(path);
    const Architecture& architecture = find_architecture(config, path);
    const Decoder decoder = architecture.read_config(config, path);
    EXPECT_EQ(parameters(tensor_uses(architecture, decoder)), model.parameters) << model.file;
  }
}

// The text_config of gemma-3-4b-it as published, which says no more.
TEST(Config, Gemma3sWithImagesLeaveSizesOut) {
  const Json config = parse_json(R"({"hidden_size": 2560, "intermediate_size": 10240,
    "model_type": "gemma3_text", "num_hidden_layers": 34,
    "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024})",
                                 "test");
  const Decoder d = find_architecture(config, "test").read_config(config, "test");
  EXPECT_EQ(d.heads, 8);
  EXPECT_EQ(d.kv_heads, 4);
  EXPECT_EQ(d.head_dim, 256);
  EXPECT_EQ(d.vocabulary, 262208);
  EXPECT_EQ(d.context, 131072);
  EXPECT_TRUE(d.tied);
  EXPECT_EQ(d.layer(4).window, 1024);
  EXPECT_FALSE(d.layer(5).window);
  EXPECT_EQ(d.rope.factor, 8);
  EXPECT_EQ(d.local_rope.factor, 1);
}

}  // namespace
}  // namespace zp
