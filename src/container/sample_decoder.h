// For tests of containers that walk the model: small decoders with random weights.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "container/container.h"

namespace zp {

/// A model of some architecture with random weights.
struct Sample {
  Model model;
  Json config;
  Json none;

  explicit Sample(const std::string& text) : config(parse_json(text, "config")) {
    Random random(1);
    const Architecture& architecture = find_architecture(config, "config");
    model.architecture = &architecture;
    model.decoder = architecture.read_config(config, "config");
    for (TensorUse& use : tensor_uses(architecture, model.decoder)) {
      std::vector<float> values(static_cast<std::size_t>(use.rows * use.cols));
      for (float& v : values) v = static_cast<float>(random.normal());
      model.derived.push_back(constant_rows(std::move(values), use.rows, use.cols));
      model.weights.push_back({std::move(use), model.derived.back().get(), "fp32"});
    }
  }

  bool accurate = false;

  ContainerInput input() const {
    ContainerInput in{model, nullptr, config, none, {}, "sample", {}};
    in.accurate = accurate;
    return in;
  }

  /// What the pipeline does for containers whose first rule is of norms and biases.
  Layout layout(const Container& container, const std::string& grid) const {
    std::vector<Assignment> all;
    const std::vector<Rule> rules = container.rules(grid, input());
    for (const Weight& w : model.weights) {
      const bool vector = !w.use.is_matrix();
      std::shared_ptr<const Grid> g = make_grid(vector ? rules.front().grid : rules.back().grid);
      if (!container.accepts(*g, w.use).possible) g = make_grid(container.fallback(*g, w));
      all.push_back({&w, std::move(g)});
    }
    return container.layout(input(), all);
  }
};

inline const std::string kLlama = R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 32,
    "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "vocab_size": 40, "tie_word_embeddings": true})";
inline const std::string kGpt2 =
    R"({"architectures": ["GPT2LMHeadModel"], "n_embd": 32, "n_head": 4,
    "n_layer": 2, "n_positions": 16, "vocab_size": 40, "activation_function": "gelu_new"})";
inline const std::string kGemma2 = R"({"architectures": ["Gemma2ForCausalLM"], "hidden_size": 32,
    "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 12, "max_position_embeddings": 64, "rms_norm_eps": 1e-6,
    "hidden_activation": "gelu_pytorch_tanh", "vocab_size": 40, "query_pre_attn_scalar": 12,
    "sliding_window": 8, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0})";
/// Experts beside a layer with one MLP, of softmax over all.
inline const std::string kQwen3Moe = R"({"architectures": ["Qwen3MoeForCausalLM"],
    "hidden_size": 32, "intermediate_size": 48, "moe_intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5, "hidden_act": "silu", "vocab_size": 40, "num_experts": 5,
    "num_experts_per_tok": 2, "norm_topk_prob": false, "mlp_only_layers": [0]})";
/// Sigmoids in groups, scaled, and a shared MLP.
inline const std::string kGlm4Moe = R"({"architectures": ["Glm4MoeForCausalLM"],
    "hidden_size": 32, "intermediate_size": 48, "moe_intermediate_size": 32, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
    "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "hidden_act": "silu", "vocab_size": 40,
    "n_routed_experts": 6, "num_experts_per_tok": 2, "n_shared_experts": 1, "n_group": 3,
    "topk_group": 2, "routed_scaling_factor": 2.5, "first_k_dense_replace": 1})";
/// SparseMixer.
inline const std::string kPhimoe = R"({"architectures": ["PhiMoEForCausalLM"],
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "vocab_size": 40, "num_local_experts": 4, "num_experts_per_tok": 2,
    "attention_bias": true, "lm_head_bias": true})";

}  // namespace zp
