// config.json of Qwen3-Next and Qwen3.5, and linear attention's weights in GGUF's order.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/gguf_rows.h"
#include "model/sample_models.h"

namespace zp {
namespace {

// The text's part of Qwen3.5-9B's config.json, but for sizes that make no difference.
Json qwen3_5() {
  return parse_json(R"({"architectures": ["Qwen3_5ForCausalLM"], "model_type": "qwen3_5_text",
    "attention_bias": false, "attention_dropout": 0.0, "attn_output_gate": true,
    "full_attention_interval": 4, "head_dim": 64, "hidden_act": "silu", "hidden_size": 256,
    "initializer_range": 0.02, "intermediate_size": 512, "layer_types": ["linear_attention",
    "linear_attention", "linear_attention", "full_attention", "linear_attention"],
    "linear_conv_kernel_dim": 4, "linear_key_head_dim": 32, "linear_num_key_heads": 2,
    "linear_num_value_heads": 4, "linear_value_head_dim": 32, "mamba_ssm_dtype": "float32",
    "max_position_embeddings": 262144, "mlp_only_layers": [], "mtp_num_hidden_layers": 1,
    "mtp_use_dedicated_embeddings": false, "num_attention_heads": 4, "num_hidden_layers": 5,
    "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_parameters": {"mrope_interleaved": true,
    "mrope_section": [11, 11, 10], "partial_rotary_factor": 0.25, "rope_theta": 10000000,
    "rope_type": "default"}, "tie_word_embeddings": false, "use_cache": true, "vocab_size": 512})",
                    "test");
}

Json qwen3_5_moe() {
  Json config = qwen3_5();
  config["architectures"] = {"Qwen3_5MoeForCausalLM"};
  config["model_type"] = "qwen3_5_moe_text";
  config.erase("intermediate_size");
  config["num_experts"] = 8;
  config["num_experts_per_tok"] = 2;
  config["moe_intermediate_size"] = 64;
  config["shared_expert_intermediate_size"] = 96;
  return config;
}

// As Qwen3-Next-80B-A3B-Instruct has it.
Json qwen3_next() {
  return parse_json(R"({"architectures": ["Qwen3NextForCausalLM"], "model_type": "qwen3_next",
    "attention_bias": false, "attention_dropout": 0.0, "decoder_sparse_step": 1,
    "full_attention_interval": 4, "head_dim": 64, "hidden_act": "silu", "hidden_size": 256,
    "initializer_range": 0.02, "intermediate_size": 512, "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 32, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "linear_value_head_dim": 32, "max_position_embeddings": 262144, "mlp_only_layers": [],
    "moe_intermediate_size": 64, "norm_topk_prob": true, "num_attention_heads": 4,
    "num_experts": 8, "num_experts_per_tok": 2, "num_hidden_layers": 8, "num_key_value_heads": 2,
    "output_router_logits": false, "partial_rotary_factor": 0.25, "rms_norm_eps": 1e-06,
    "rope_scaling": null, "rope_theta": 10000000, "router_aux_loss_coef": 0.001,
    "shared_expert_intermediate_size": 96, "tie_word_embeddings": false, "vocab_size": 512})",
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

TEST(Config, Qwen35SaysWhichLayersAttendAndHowLargeTheirStatesAre) {
  const Decoder d = read(qwen3_5());
  EXPECT_TRUE(d.output_gate);
  EXPECT_TRUE(d.norm_plus_one);
  EXPECT_EQ(d.delta, (DeltaHeads{.keys = 2, .values = 4, .key_dim = 32, .value_dim = 32}));
  EXPECT_EQ(d.rope.dims, 16);
  EXPECT_EQ(d.rope.theta, 1e7);
  EXPECT_EQ(d.attention_layers(), 1);
  for (std::int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(d.layer(i).mixer, i == 3 ? Mixer::attention : Mixer::gated_delta) << i;
    EXPECT_EQ(d.state_floats(i), i == 3 ? 0 : 3 * 256 + 4 * 32 * 32) << i;
  }
  EXPECT_EQ(attention_period(d), 4);
  EXPECT_EQ(read(without(qwen3_5(), "layer_types")), d);
  EXPECT_EQ(read(without(without(qwen3_5(), "layer_types"), "full_attention_interval")), d);
}

TEST(Config, Qwen35AndQwen3NextHaveAnMlpBesideTheirExperts) {
  const Experts experts = {
      .count = 8, .chosen = 2, .ffn = 64, .renormalized = true, .shared_ffn = 96};
  EXPECT_EQ(read(qwen3_5_moe()).experts, experts);
  EXPECT_EQ(read(qwen3_next()).experts, experts);
  const Decoder d = read(with(qwen3_next(), "mlp_only_layers", {1, 3}));
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(d.layer(i).experts, i != 1 && i != 3) << i;
}

TEST(Config, LinearAttentionIsWrittenAsItWasRead) {
  for (const Json& config :
       {qwen3_5(), with(qwen3_5(), "tie_word_embeddings", true), qwen3_5_moe(), qwen3_next(),
        with(qwen3_next(), "mlp_only_layers", {1, 3}), with(qwen3_next(), "norm_topk_prob", false),
        with(qwen3_5(), "layer_types",
             {"full_attention", "linear_attention", "linear_attention", "full_attention",
              "linear_attention"})}) {
    const Decoder d = read(config);
    EXPECT_EQ(read(write_config(find_architecture(config, "test"), d)), d) << config;
  }
}

TEST(Config, LinearAttentionIsRefusedByName) {
  const auto refuses = [](const Json& config, const std::string& what) {
    EXPECT_NE(refusal(config).find(what), std::string::npos) << refusal(config);
  };
  refuses(
      with(qwen3_5(), "layer_types",
           {"linear_attention", "mamba", "full_attention", "full_attention", "linear_attention"}),
      "\"layer_types\": kind of layer not known: expected linear_attention or full_attention");
  refuses(with(qwen3_5(), "layer_types", {"full_attention"}),
          "\"layer_types\": wrong length: expected one for each of 5 layers");
  refuses(without(with(qwen3_5(), "full_attention_interval", 6), "layer_types"),
          "not layers of both kinds");
  refuses(with(qwen3_5(), "linear_num_key_heads", 3),
          "\"linear_num_value_heads\": no multiple of \"linear_num_key_heads\"");
  refuses(with(qwen3_5(), "linear_num_key_heads", 8),
          "\"linear_num_value_heads\": no multiple of \"linear_num_key_heads\"");
  refuses(with(qwen3_5(), "linear_conv_kernel_dim", 1),
          "\"linear_conv_kernel_dim\": out of range: expected 2 to");
  refuses(with(qwen3_5(), "linear_key_head_dim", 0), "\"linear_key_head_dim\": out of range");
  refuses(with(qwen3_5(), "full_attention_interval", 0),
          "\"full_attention_interval\": out of range");
  refuses(with(qwen3_5(), "attn_output_gate", false), "\"attn_output_gate\": value not supported");
  refuses(with(qwen3_5(), "hidden_act", "gelu"), "\"hidden_act\": value not supported");
  refuses(with(qwen3_next(), "attention_bias", true), "\"attention_bias\": value not supported");
  refuses(with(qwen3_next(), "sliding_window", 64), "\"sliding_window\": field not known");
}

// Heads of values by their heads of keys: 00 01 02 10 11 12. In tiles: 00 10 01 11 02 12.
TEST(GgufRows, HeadsOfValuesStandInTiles) {
  for (const SampleModel& sample : sample_models()) {
    if (sample.name != "qwen3_5") continue;
    const Decoder& d = sample.model.decoder;
    constexpr std::int64_t kSource[] = {0, 3, 1, 4, 2, 5};
    for (const Weight& weight : sample.model.weights) {
      const std::unique_ptr<RowReader> gguf = gguf_rows(weight, d);
      if (!gguf) continue;
      const std::int64_t rows = weight.use.rows;
      const std::int64_t cols = weight.use.cols;
      const auto all = [&](const RowReader& of) {
        std::vector<float> values(static_cast<std::size_t>(rows * cols));
        of.read(0, rows, values.data());
        return values;
      };
      const std::vector<float> own = all(*weight.rows);
      const std::vector<float> there = all(*gguf);
      const std::vector<float> back = all(*rows_from_gguf(*gguf, weight.use, d));
      const bool rate = weight.use.place.role == Role::delta_rate;
      for (std::size_t i = 0; i < own.size(); ++i)
        EXPECT_NEAR(back[i], own[i], rate ? 0x1p-22 : 0) << weight.use.hf;
      const auto value = [&](const std::vector<float>& of, std::int64_t r, std::int64_t c) {
        return of[static_cast<std::size_t>(r * cols + c)];
      };
      for (std::int64_t head = 0; head < 6; ++head) {
        const std::int64_t from = kSource[head];
        if (rate) {
          EXPECT_FLOAT_EQ(value(there, 0, head), -std::exp(value(own, 0, from)));
        } else if (weight.use.place.role == Role::delta_out) {
          EXPECT_EQ(value(there, 7, 20 * head + 3), value(own, 7, 20 * from + 3));
        } else if (weight.use.place.role == Role::delta_beta) {
          EXPECT_EQ(value(there, head, 5), value(own, from, 5));
        } else if (weight.use.place.role == Role::convolution ||
                   weight.use.place.role == Role::delta_qkv) {
          EXPECT_EQ(value(there, 48 + 20 * head + 3, 2), value(own, 48 + 20 * from + 3, 2));
          EXPECT_EQ(value(there, 47, 2), value(own, 47, 2));
        } else if (weight.use.place.role == Role::query_norm) {
          EXPECT_EQ(value(there, 0, head), value(own, 0, head) + 1);
        }
        EXPECT_NE(weight.use.place.role, Role::delta_norm);  // it stays as it is
      }
    }
  }
}

}  // namespace
}  // namespace zp
