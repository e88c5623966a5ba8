// config.json of Gemma 4, as it was published and as transformers 5 writes it.
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"

namespace zp {
namespace {

// The 31B's words, but for sizes.
Json dense() {
  return parse_json(R"({"architectures": ["Gemma4ForCausalLM"], "model_type": "gemma4_text",
    "attention_bias": false, "attention_dropout": 0.0, "attention_k_eq_v": true,
    "bos_token_id": 2, "enable_moe_block": false, "eos_token_id": 1,
    "final_logit_softcapping": 30.0, "global_head_dim": 32, "head_dim": 16,
    "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 64,
    "hidden_size_per_layer_input": 0, "initializer_range": 0.02, "intermediate_size": 96,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
    "max_position_embeddings": 512, "moe_intermediate_size": null, "num_attention_heads": 4,
    "num_experts": null, "num_global_key_value_heads": 1, "num_hidden_layers": 4,
    "num_key_value_heads": 2, "num_kv_shared_layers": 0, "pad_token_id": 0, "rms_norm_eps": 1e-06,
    "rope_parameters": {
      "full_attention": {"partial_rotary_factor": 0.25, "rope_theta": 1000000.0,
                         "rope_type": "proportional"},
      "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}},
    "sliding_window": 16, "tie_word_embeddings": true, "top_k_experts": null,
    "use_bidirectional_attention": "vision", "use_cache": true, "use_double_wide_mlp": false,
    "vocab_size": 100, "vocab_size_per_layer_input": 100})",
                    "test");
}

// As E2B has it.
Json shared() {
  Json config = dense();
  config["attention_k_eq_v"] = false;
  config["num_global_key_value_heads"] = nullptr;
  config["hidden_size_per_layer_input"] = 8;
  config["num_kv_shared_layers"] = 2;
  config["use_double_wide_mlp"] = true;
  return config;
}

// As 26B-A4B has it.
Json with_experts() {
  Json config = dense();
  config["enable_moe_block"] = true;
  config["num_experts"] = 8;
  config["top_k_experts"] = 2;
  config["moe_intermediate_size"] = 24;
  return config;
}

Json with(Json config, const char* key, Json value) {
  config[key] = std::move(value);
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

TEST(Config, Gemma4SaysSizesByKindOfLayer) {
  const Decoder d = read(dense());
  EXPECT_EQ(d.attention_scale, 1);
  EXPECT_EQ(d.logit_soft_cap, 30);
  EXPECT_EQ(d.layer_columns, 0);
  EXPECT_TRUE(d.value_norms);
  EXPECT_FALSE(d.norm_plus_one);
  for (std::int64_t i = 0; i < 4; ++i) {
    const bool full = i % 2 == 1;
    EXPECT_EQ(d.layer(i).window.value_or(0), full ? 0 : 16) << i;
    EXPECT_EQ(d.layer(i).rope, full ? RopeKind::global : RopeKind::local) << i;
    EXPECT_EQ(d.layer(i).values_are_keys, full) << i;
    EXPECT_EQ(d.head_dim_of(i), full ? 32 : 16) << i;
    EXPECT_EQ(d.kv_heads_of(i), full ? 1 : 2) << i;
    EXPECT_EQ(d.query_columns(i), full ? 128 : 64) << i;
    EXPECT_EQ(d.key_columns(i), 32) << i;
    EXPECT_EQ(d.ffn_of(i), 96) << i;
    EXPECT_FALSE(d.layer(i).keys_of) << i;
  }
  EXPECT_EQ(d.rope, (Rope{.theta = 1e6, .dims = 32, .still = 12, .original_context = 512}));
  EXPECT_EQ(d.local_rope, (Rope{.theta = 1e4, .dims = 16, .original_context = 512}));
}

TEST(Config, Gemma4sLastLayersReadKeysOfTheLastOfTheirKindAndAreTwiceAsWide) {
  const Decoder d = read(shared());
  EXPECT_EQ(d.layer_columns, 8);
  EXPECT_EQ(d.layer_vocabulary, 100);
  EXPECT_FALSE(d.layer(0).keys_of);
  EXPECT_FALSE(d.layer(1).keys_of);
  EXPECT_EQ(d.layer(2).keys_of, 0);
  EXPECT_EQ(d.layer(3).keys_of, 1);
  EXPECT_EQ(d.ffn_of(1), 96);
  EXPECT_EQ(d.ffn_of(2), 192);
  EXPECT_FALSE(d.layer(1).values_are_keys);
}

TEST(Config, Gemma4sExpertsStandBesideAnMlp) {
  const Decoder d = read(with_experts());
  EXPECT_EQ(d.experts, (Experts{.count = 8,
                                .chosen = 2,
                                .ffn = 24,
                                .routing = Routing::softmax,
                                .renormalized = true,
                                .shared_ffn = 96}));
  EXPECT_TRUE(d.every.experts || d.layer(0).experts);
}

// As transformers writes the 12B's text: without words of layers' parts and of experts.
TEST(Config, Gemma4UnifiedsTextHasNoPartsOfLayers) {
  Json config = dense();
  config["architectures"] = {"Gemma4UnifiedForCausalLM"};
  config["model_type"] = "gemma4_unified_text";
  for (const char* key :
       {"enable_moe_block", "hidden_size_per_layer_input", "moe_intermediate_size", "num_experts",
        "top_k_experts", "vocab_size_per_layer_input"})
    config.erase(key);
  EXPECT_EQ(read(config), read(dense()));
  config.erase("sliding_window");
  EXPECT_EQ(read(config).window(), 1024);
}

TEST(Config, Gemma4sSizesAreReadInTransformersOwnWordsToo) {
  Json config = dense();
  config.erase("global_head_dim");
  config.erase("num_global_key_value_heads");
  const Json full = {{"head_dim", 32}, {"num_key_value_heads", 1}};
  config["per_layer_config"] = {{"1", full}, {"3", full}};
  EXPECT_EQ(read(config), read(dense()));
  config["per_layer_config"] = {{"1", full}};
  EXPECT_EQ(refusal(config),
            "config.json: \"per_layer_config\": value not supported: expected the same in all "
            "layers of full_attention, found {\"1\":{\"head_dim\":32,\"num_key_value_heads\":1}}");
  config["per_layer_config"] = {{"0", full}};
  EXPECT_TRUE(
      refusal(config).starts_with("config.json: \"per_layer_config\": value not supported"));
  config["per_layer_config"] = {{"4", full}};
  EXPECT_TRUE(refusal(config).starts_with("config.json: \"per_layer_config\": no layer"));
  config["per_layer_config"] = {{"3", {{"intermediate_size", 3}}}};
  EXPECT_TRUE(refusal(config).starts_with(
      "config.json: per_layer_config of layer 3: \"intermediate_size\": field not known"));
  config["per_layer_config"] = 3;
  EXPECT_TRUE(refusal(config).starts_with("config.json: \"per_layer_config\": wrong type"));
}

TEST(Config, Gemma4sWordsComeBack) {
  for (const Json& config : {dense(), shared(), with_experts()}) {
    const Decoder d = read(config);
    const Json written = write_config(find_architecture(config, "config.json"), d);
    EXPECT_EQ(read(written), d) << written.dump_ascii();
  }
}

TEST(Config, Gemma4sLastLayerSeesEverything) {
  Json config = dense();
  config["layer_types"][3] = "sliding_attention";
  EXPECT_EQ(read(config), read(dense()));
}

TEST(Config, RefusesWhatGemma4CannotBe) {
  const auto begins = [](const Json& config, const std::string& line) {
    const std::string found = refusal(config);
    EXPECT_TRUE(found.starts_with("config.json: " + line)) << found;
    EXPECT_EQ(found.find('\n'), found.npos) << found;
  };
  begins(with(dense(), "layer_types", {"full_attention"}),
         "\"layer_types\": wrong length: expected one for each of 4 layers");
  begins(with(shared(), "num_kv_shared_layers", 4), "\"num_kv_shared_layers\": out of range");
  begins(with(shared(), "num_kv_shared_layers", 3),
         "\"num_kv_shared_layers\": no layer of the kind before them has keys of its own");
  begins(with(shared(), "vocab_size_per_layer_input", 99),
         "\"vocab_size_per_layer_input\": smaller than the vocabulary: expected 100");
  begins(with(dense(), "use_bidirectional_attention", "all"),
         "\"use_bidirectional_attention\": value not supported");
  begins(with(dense(), "num_global_key_value_heads", 3),
         "\"num_global_key_value_heads\": attention heads are no multiple of key-value heads");
  begins(with(dense(), "global_head_dim", 33), "\"head_dim\": value not supported");
  begins(with(with_experts(), "top_k_experts", 9), "\"top_k_experts\": out of range");
  begins(with(with_experts(), "num_experts", nullptr), "\"num_experts\"");
  Json config = dense();
  config["rope_parameters"]["full_attention"]["rope_type"] = "yarn";
  begins(config, "rope of full_attention: \"rope_type\": rope type not supported");
  config = dense();
  config["rope_parameters"].erase("sliding_attention");
  begins(config, "\"rope_parameters\": missing: expected sliding_attention");
  config = dense();
  config["rope_parameters"]["chunked_attention"] = {{"rope_theta", 1.0}};
  begins(config, "\"rope_parameters\": kind of layer not known");
}

}  // namespace
}  // namespace zp
