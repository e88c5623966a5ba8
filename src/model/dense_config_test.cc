// config.json of Hunyuan, GLM-4 and Ministral 3.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"

namespace zp {
namespace {

Json config_of(const char* hf_class, const char* more) {
  Json config = parse_json(R"({"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "vocab_size": 512,
    "max_position_embeddings": 512, "rms_norm_eps": 1e-5})",
                           "test");
  config["architectures"] = {hf_class};
  config.update(parse_json(more, "test"));
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

void reads_back(const Json& config) {
  const Decoder decoder = read(config);
  EXPECT_EQ(read(write_config(find_architecture(config, "test"), decoder)), decoder) << config;
}

TEST(Config, HunyuanStretchesItsBaseByAlpha) {
  const char* kClass = "HunYuanDenseV1ForCausalLM";
  const Json plain = config_of(kClass, R"({"rope_theta": 500.0})");
  EXPECT_TRUE(read(plain).norm_rotated);
  EXPECT_EQ(read(plain).rope.theta, 500);
  for (const char* rope :
       {R"({"rope_theta": 500.0, "rope_scaling": {"type": "dynamic", "alpha": 10.0, "factor": 1.0,
            "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0}})",
        R"({"rope_parameters": {"rope_type": "dynamic", "rope_theta": 500.0, "alpha": 10.0}})"}) {
    const Json stretched = config_of(kClass, rope);
    EXPECT_DOUBLE_EQ(read(stretched).rope.theta, 500 * std::pow(10.0, 32.0 / 30));
    EXPECT_EQ(read(stretched).rope.scaling, RopeScaling::none);
    reads_back(stretched);
  }
  const Json by_length =
      config_of(kClass, R"({"rope_scaling": {"type": "dynamic", "factor": 2.0}})");
  EXPECT_NE(refusal(by_length).find("rope type not supported"), std::string::npos);
  EXPECT_NE(refusal(config_of(kClass, R"({"use_qk_norm": false})")).find("use_qk_norm"),
            std::string::npos);
}

TEST(Config, Glm4TurnsHalfOfAHeadInPairs) {
  const char* kClass = "Glm4ForCausalLM";
  const Json usual = config_of(kClass, R"({"attention_bias": false})");
  EXPECT_EQ(read(usual).rope.dims, 16);
  EXPECT_TRUE(read(usual).rope.interleaved);
  EXPECT_FALSE(read(usual).attention_bias);
  EXPECT_TRUE(read(config_of(kClass, "{}")).attention_bias);
  EXPECT_EQ(read(config_of(kClass, R"({"partial_rotary_factor": 1.0})")).rope.dims, 32);
  for (const char* more : {R"({"attention_bias": false})", R"({"partial_rotary_factor": 1.0})",
                           R"({"rope_parameters": {"rope_type": "default", "rope_theta": 300.0,
                               "partial_rotary_factor": 0.25}})"})
    reads_back(config_of(kClass, more));
  EXPECT_NE(refusal(config_of(kClass, R"({"tie_word_embeddings": true})")).find("value not supp"),
            std::string::npos);
}

TEST(Config, Ministral3TempersQueriesByOriginalContexts) {
  const char* kClass = "Ministral3ForCausalLM";
  const Json usual = config_of(kClass, R"({"rope_parameters": {"rope_type": "yarn", "type": "yarn",
    "rope_theta": 1e6, "factor": 16.0, "original_max_position_embeddings": 32, "beta_fast": 16.0,
    "beta_slow": 2.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1,
    "max_position_embeddings": 512}, "sliding_window": null})");
  const Decoder d = read(usual);
  EXPECT_EQ(d.query_beta, 0.1);
  EXPECT_EQ(d.query_length, 32);
  EXPECT_EQ(d.rope.attention_factor, 1);
  EXPECT_EQ(d.rope.beta_fast, 16);
  reads_back(usual);
  const auto without = [&](const char* key) {
    Json config = usual;
    config["rope_parameters"].erase(key);
    return refusal(config);
  };
  EXPECT_NE(without("llama_4_scaling_beta").find("llama_4_scaling_beta"), std::string::npos);
  EXPECT_NE(without("original_max_position_embeddings").find("original_max"), std::string::npos);
  EXPECT_NE(refusal(config_of(kClass, "{}")).find("\"rope_parameters\": missing"),
            std::string::npos);
  Json other = usual;
  other["rope_parameters"]["attention_factor"] = 1.2;
  EXPECT_NE(refusal(other).find("attention_factor"), std::string::npos);
  other = usual;
  other["sliding_window"] = 16;
  EXPECT_NE(refusal(other).find("sliding_window"), std::string::npos);
}

}  // namespace
}  // namespace zp
