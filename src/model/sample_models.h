// For tests: small models of every architecture with random weights. Shapes are odd on purpose:
// grouped heads, sizes that are no powers of two, head sizes of their own, biases, fused matrices.
//
// Weights are whole multiples of 1/64 below 16 and norms multiply by 1/2, 1 or 2; blocks of
// Hadamard matrices come out as 16. So scaling by powers of two, folding of norms and rotation all
// give weights that FP32 holds exactly.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "model/architecture.h"

namespace zp {

struct SampleModel {
  std::string name;
  Model model;
};

inline const Architecture& sample_architecture(const std::string& name) {
  for (const Architecture* a : architectures()) {
    if (a->name == name) return *a;
  }
  throw Error("test", "no such architecture", {}, name);
}

inline Decoder sample_decoder(const std::string& architecture) {
  Decoder d;
  d.architecture = architecture;
  d.layers = 2;
  d.hidden = 80;
  d.heads = 4;
  d.kv_heads = 2;
  d.head_dim = 48;
  d.ffn = 40;
  d.vocabulary = 50;
  d.context = 32;
  d.rope.dims = 48;
  return d;
}

inline float sample_value(const TensorUse& use, const Decoder& d, Random& random) {
  const double draw = random.normal();
  const auto dyadic = [](double x) { return static_cast<float>(std::round(64 * x) / 64); };
  if (use.part == Part::bias) return dyadic(0.3 * draw);
  if (!is_matrix(use.place.role)) {
    const double by = std::abs(draw) < 0.7 ? 1 : draw < 0 ? 0.5 : 2;
    return static_cast<float>(by - (d.norm_plus_one && is_norm(use.place.role) ? 1 : 0));
  }
  const bool table = use.place.role == Role::embedding || use.place.role == Role::position ||
                     use.place.role == Role::layer_embedding;
  return dyadic(draw / (2 * std::sqrt(static_cast<double>(table ? 1 : use.cols))));
}

inline SampleModel sample_model(std::string name, Decoder d) {
  SampleModel out{std::move(name), {}};
  out.model.architecture = &sample_architecture(d.architecture);
  out.model.decoder = std::move(d);
  Random random(out.name.size());
  for (TensorUse& use : tensor_uses(*out.model.architecture, out.model.decoder)) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < use.rows * use.cols; ++i)
      values.push_back(sample_value(use, out.model.decoder, random));
    out.model.derived.push_back(constant_rows(std::move(values), use.rows, use.cols));
    out.model.weights.push_back({std::move(use), out.model.derived.back().get(), "fp32"});
  }
  return out;
}

/// Whose layers are of several sizes, and read each other's keys and values.
inline bool is_gemma4(const SampleModel& sample) { return sample.name.starts_with("gemma4"); }
/// Or whose layers aren't attention or another mixer, then a feed-forward part.
inline bool has_layers_of_its_own(const SampleModel& sample) {
  return is_gemma4(sample) || sample.name == "nemotron_h";
}

inline std::vector<SampleModel> sample_models() {
  std::vector<SampleModel> all;
  const auto add = [&](const std::string& name, const std::string& architecture, auto change) {
    Decoder d = sample_decoder(architecture);
    change(d);
    all.push_back(sample_model(name, std::move(d)));
  };
  const auto layer_norms = [](Decoder& d) {
    d.norm = Norm::layer;
    d.activation = Activation::gelu_tanh;
    d.gated = false;
    d.kv_heads = d.heads;
  };
  add("llama", "llama", [](Decoder&) {});
  add("llama_tied", "llama", [](Decoder& d) { d.tied = true; });
  add("llama_biases", "llama", [](Decoder& d) { d.attention_bias = d.mlp_bias = true; });
  add("llama_rows", "llama", [](Decoder& d) {
    d.local_rope.theta = 100;
    d.local_rope.dims = 24;
    d.local_rope.interleaved = true;
    set_layers(d, [](std::int64_t index, Layer& layer) {
      layer.rope = index == 0 ? RopeKind::local : RopeKind::none;
      if (index == 0) layer.window = 5;
    });
    d.embedding_scale = 2;
    d.residual_scale = 0.5;
    d.logit_divisor = 4;
    d.query_beta = 0.25;
    d.query_length = 3;
  });
  add("qwen2", "qwen2", [](Decoder& d) { d.tied = true; });
  add("qwen3", "qwen3", [](Decoder&) {});
  add("qwen3_rotated", "qwen3", [](Decoder& d) { d.norm_rotated = true; });
  add("qwen3_moe", "qwen3_moe", [](Decoder& d) {
    d.experts = {.count = 5, .chosen = 2, .ffn = 24, .renormalized = true};
    set_experts(d, [](std::int64_t layer) { return layer == 1; });
  });
  add("glm4_moe", "glm4_moe", [](Decoder& d) {
    d.attention_bias = d.head_norms = true;
    d.rope.dims = 16;
    d.experts = {.count = 6,
                 .chosen = 2,
                 .ffn = 24,
                 .routing = Routing::sigmoid,
                 .renormalized = true,
                 .groups = 3,
                 .used_groups = 2,
                 .scale = 1.5,
                 .shared_ffn = 24};
    set_experts(d, [](std::int64_t layer) { return layer == 1; });
  });
  const auto latent = [](Decoder& d) {
    d.kv_heads = d.heads;
    d.head_dim = 28;
    d.value_dim = 20;
    d.rope.dims = 12;
    d.rope.interleaved = d.rope.trailing = true;
    d.latent = {.rank = 24, .query_rank = 36, .norm_epsilon = 1e-6};
    d.experts = {.count = 6, .chosen = 2, .ffn = 24, .groups = 3, .used_groups = 2, .scale = 1.5};
    d.experts.shared_ffn = 24;
    set_experts(d, [](std::int64_t layer) { return layer == 1; });
  };
  add("deepseek_v2", "deepseek_v2", [&](Decoder& d) {
    latent(d);
    d.latent.query_rank = 0;
  });
  add("deepseek_v3", "deepseek_v3", [&](Decoder& d) {
    latent(d);
    d.attention_bias = true;
    d.experts.routing = Routing::sigmoid;
    d.experts.renormalized = true;
  });
  add("mistral4", "mistral4", [&](Decoder& d) {
    latent(d);
    d.query_beta = 0.5;
    d.query_length = 4;
    d.experts.renormalized = true;
  });
  add("gpt_oss", "gpt_oss", [](Decoder& d) {
    d.activation = Activation::gelu_sigmoid;
    d.expert_limit = 0.5;
    d.experts = {.count = 5, .chosen = 2, .ffn = 24, .renormalized = true};
    d.every.experts = true;
    set_windows(d, 5, [](std::int64_t layer) { return layer == 0; });
  });
  const auto convolution_first = [](Decoder& d) {
    d.head_dim = 20;
    d.rope.dims = 20;
    d.convolution = 3;
    set_layers(d, [](std::int64_t index, Layer& layer) {
      if (index == 0) layer.mixer = Mixer::short_convolution;
    });
  };
  add("lfm2", "lfm2", convolution_first);
  add("lfm2_biases", "lfm2", [&](Decoder& d) {
    convolution_first(d);
    d.conv_bias = true;
    d.convolution = 4;
  });
  add("lfm2_moe", "lfm2_moe", [&](Decoder& d) {
    convolution_first(d);
    d.experts = {.count = 5,
                 .chosen = 2,
                 .ffn = 24,
                 .routing = Routing::sigmoid,
                 .renormalized = true,
                 .sum_addend = 1e-6,
                 .scale = 1.5};
    set_experts(d, [](std::int64_t layer) { return layer == 1; });
  });
  const auto linear_first = [](Decoder& d) {
    d.norm_epsilon = 0.01;  // first tokens leave little in a state: bounds stay small so
    d.rope.dims = 12;
    d.norm_plus_one = d.output_gate = true;
    d.convolution = 4;
    d.delta = {.keys = 2, .values = 6, .key_dim = 12, .value_dim = 20};
    set_layers(d, [](std::int64_t index, Layer& layer) {
      if (index == 0) layer.mixer = Mixer::gated_delta;
    });
  };
  const auto shared_expert = [](Decoder& d) {
    d.experts = {.count = 5, .chosen = 2, .ffn = 24, .renormalized = true, .shared_ffn = 32};
    set_experts(d, [](std::int64_t) { return true; });
  };
  add("qwen3_5", "qwen3_5", linear_first);
  add("qwen3_5_moe", "qwen3_5_moe", [&](Decoder& d) {
    linear_first(d);
    shared_expert(d);
  });
  add("qwen3_next", "qwen3_next", [&](Decoder& d) {
    linear_first(d);
    shared_expert(d);
  });
  add("phi3", "phi3", [](Decoder&) {});
  add("phimoe", "phimoe", [](Decoder& d) {
    d.norm = Norm::layer;
    d.attention_bias = d.head_bias = true;
    d.experts = {.count = 5, .chosen = 2, .ffn = 24, .routing = Routing::sparsemixer, .noise = 0.2};
    d.every.experts = true;
  });
  add("phi", "phi", [&](Decoder& d) {
    layer_norms(d);
    d.parallel = true;
    d.rope.dims = 24;
  });
  add("gpt2", "gpt2", [&](Decoder& d) {
    layer_norms(d);
    d.rope.dims = 0;
    d.head_dim = 16;
    d.tied = true;
  });
  add("gpt2_untied", "gpt2", [&](Decoder& d) {
    layer_norms(d);
    d.rope.dims = 0;
    d.head_dim = 16;
  });
  add("gemma2", "gemma2", [](Decoder& d) {
    d.activation = Activation::gelu_tanh;
    d.norm_plus_one = d.tied = true;
    d.embedding_scale = std::sqrt(80.0);
    d.attention_soft_cap = 6;
    d.logit_soft_cap = 15;
    set_windows(d, 5, [](std::int64_t layer) { return layer == 0; });
  });
  add("gemma3", "gemma3", [](Decoder& d) {
    d.activation = Activation::gelu_tanh;
    d.norm_plus_one = d.tied = true;
    d.embedding_scale = std::sqrt(80.0);
    d.local_rope = d.rope;
    d.local_rope.theta = 100;
    set_layers(d, [](std::int64_t index, Layer& layer) {
      if (index > 0) return;
      layer.window = 5;
      layer.rope = RopeKind::local;
    });
  });
  // Heads, their size and number by kind of layer; the last of four reads the keys of the second.
  const auto gemma4 = [](Decoder& d) {
    d.layers = 4;
    d.activation = Activation::gelu_tanh;
    d.tied = d.value_norms = true;
    d.embedding_scale = std::sqrt(80.0);
    d.attention_scale = 1;
    d.logit_soft_cap = 15;
    d.head_dim = 24;
    d.local_rope = {.theta = 100, .dims = 24};
    d.rope.still = 18;
    set_layers(d, [](std::int64_t index, Layer& layer) {
      const bool full = index % 2 == 1;
      layer.rope = full ? RopeKind::global : RopeKind::local;
      if (!full) layer.window = 5;
      layer.head_dim = full ? 48 : 0;
      layer.kv_heads = full ? 1 : 0;
      layer.values_are_keys = full;
    });
  };
  add("gemma4", "gemma4", gemma4);
  add("gemma4_shared", "gemma4", [&](Decoder& d) {
    gemma4(d);
    d.layer_columns = 12;
    d.layer_vocabulary = 56;
    set_layers(d, [](std::int64_t index, Layer& layer) {
      layer.values_are_keys = false;
      if (index < 2) return;
      layer.keys_of = index - 2;
      layer.ffn = 72;
    });
  });
  add("gemma4_experts", "gemma4", [&](Decoder& d) {
    gemma4(d);
    d.experts = {.count = 5, .chosen = 2, .ffn = 24, .renormalized = true, .shared_ffn = 40};
    set_experts(d, [](std::int64_t) { return true; });
  });
  add("smollm3", "smollm3", [](Decoder& d) {
    set_layers(d, [](std::int64_t index, Layer& layer) {
      if (index == 1) layer.rope = RopeKind::none;
    });
  });
  add("granite", "granite", [](Decoder& d) {
    d.embedding_scale = 4;
    d.attention_scale = 0.125;
    d.residual_scale = 0.5;
    d.logit_divisor = 2;
  });
  add("granite_hybrid", "granite_hybrid", [](Decoder& d) {
    d.head_dim = 20;
    d.rope.dims = 20;
    d.norm_epsilon = 0.01;  // first tokens leave little in a state: bounds stay small so
    d.attention_scale = 0.125;
    d.residual_scale = 0.5;
    d.convolution = 4;
    d.conv_bias = true;
    d.space = {
        .heads = 6, .head_dim = 12, .groups = 2, .state = 10, .least_step = 0.5, .most_step = 2};
    d.experts = {.count = 5, .chosen = 2, .ffn = 24, .renormalized = true, .shared_ffn = 32};
    set_layers(d, [](std::int64_t index, Layer& layer) {
      layer.experts = true;
      layer.rope = RopeKind::none;
      if (index == 0) layer.mixer = Mixer::state_space;
    });
  });
  add("falcon_h1", "falcon_h1", [](Decoder& d) {
    d.norm_epsilon = 0.01;
    d.convolution = 4;
    d.conv_bias = true;
    d.space = {.heads = 6, .head_dim = 12, .groups = 2, .state = 10, .normed = false};
    d.every.mixer = Mixer::attention_and_space;
  });
  add("nemotron_h", "nemotron_h", [](Decoder& d) {
    d.layers = 4;
    d.norm_epsilon = 0.01;
    d.activation = Activation::squared_relu;
    d.gated = false;
    d.convolution = 4;
    d.conv_bias = true;
    d.space = {.heads = 6, .head_dim = 12, .groups = 2, .state = 10};
    d.experts = {.count = 5,
                 .chosen = 2,
                 .ffn = 24,
                 .width = 56,
                 .routing = Routing::sigmoid,
                 .renormalized = true,
                 .shared_ffn = 32};
    set_layers(d, [](std::int64_t index, Layer& layer) {
      layer.rope = RopeKind::none;
      layer.feeds = index % 2 == 1;
      layer.experts = index == 3;
      layer.mixer = layer.feeds ? Mixer::none : index == 0 ? Mixer::state_space : Mixer::attention;
    });
  });
  add("olmo2", "olmo2", [](Decoder&) {});
  return all;
}

}  // namespace zp
