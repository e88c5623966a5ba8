#include "model/config_writer.h"

#include <utility>

#include "base/json.h"

namespace zp {
namespace {

// As JSON has them: shortest decimals of FP32 and not their double values.
Json numbers(const std::vector<float>& values) {
  Json list = Json::array();
  for (const float v : values) list.push_back(v);
  return list;
}

Json longrope(const std::vector<float>& shorter, const std::vector<float>& longer, double factor,
              double attention_factor) {
  return {{"rope_type", "longrope"},
          {"type", "longrope"},
          {"factor", factor},
          {"attention_factor", attention_factor},
          {"short_factor", numbers(shorter)},
          {"long_factor", numbers(longer)}};
}

Json scaling_of(const Rope& rope) {
  switch (rope.scaling) {
    case RopeScaling::none:
      return nullptr;
    case RopeScaling::linear:
      return {{"rope_type", "linear"}, {"type", "linear"}, {"factor", rope.factor}};
    case RopeScaling::llama3:
      return {{"rope_type", "llama3"},
              {"factor", rope.factor},
              {"low_freq_factor", rope.low_freq_factor},
              {"high_freq_factor", rope.high_freq_factor},
              {"original_max_position_embeddings", rope.original_context}};
    case RopeScaling::longrope:
      return longrope(rope.short_factor, rope.long_factor, rope.factor, rope.attention_factor);
    case RopeScaling::stated:
      return longrope(rope.divisors, rope.divisors, 1, 1);
    case RopeScaling::yarn:
      break;
  }
  Json yarn = {{"rope_type", "yarn"},
               {"type", "yarn"},
               {"factor", rope.factor},
               {"beta_fast", rope.beta_fast},
               {"beta_slow", rope.beta_slow},
               {"attention_factor", rope.attention_factor},
               {"original_max_position_embeddings", rope.original_context}};
  if (!rope.truncate) yarn["truncate"] = false;
  if (rope.sharpening != 0) {
    yarn["mscale_all_dim"] = rope.sharpening;
    yarn["mscale"] = rope.sharpening;
  }
  return yarn;
}

}  // namespace

std::string_view activation_word(Activation activation) {
  switch (activation) {
    case Activation::silu:
      return "silu";
    case Activation::gelu_tanh:
      return "gelu_pytorch_tanh";
    case Activation::gelu_erf:
      return "gelu";
    case Activation::gelu_sigmoid:
      return "quick_gelu";
    case Activation::sigmoid:
      return "sigmoid";
    case Activation::squared_relu:
      return "relu2";
  }
  return {};
}

std::string_view scaling_word(RopeScaling scaling) {
  switch (scaling) {
    case RopeScaling::none:
      return "default";
    case RopeScaling::linear:
      return "linear";
    case RopeScaling::llama3:
      return "llama3";
    case RopeScaling::longrope:
    case RopeScaling::stated:
      return "longrope";
    case RopeScaling::yarn:
      return "yarn";
  }
  return {};
}

void write_rope(const Decoder& d, const RopeRules& rules, Json& config) {
  const Rope& rope = d.rope;
  config["rope_theta"] = rope.theta;
  const std::int64_t whole = rules.of != nullptr ? rules.of(d) : d.head_dim;
  if (rope.dims != whole || rules.share != 1) {
    config["partial_rotary_factor"] = static_cast<double>(rope.dims) / static_cast<double>(whole);
  }
  Json scaling = scaling_of(rope);
  if (rules.mscales && scaling.is_object()) {
    // transformers looks for it here.
    scaling["original_max_position_embeddings"] = rope.original_context;
    scaling["short_mscale"] = rope.attention_factor;
    scaling["long_mscale"] =
        rope.long_attention_factor != 0 ? rope.long_attention_factor : rope.attention_factor;
  }
  config["rope_scaling"] = std::move(scaling);
  const bool by_context =
      rope.scaling == RopeScaling::longrope || rope.scaling == RopeScaling::stated;
  if (by_context) config["original_max_position_embeddings"] = rope.original_context;
}

void write_rope_kinds(const Decoder& d, Json& config) {
  Json full = scaling_of(d.rope);
  if (full.is_null()) full = {{"rope_type", scaling_word(RopeScaling::none)}};
  full["rope_theta"] = d.rope.theta;
  config["rope_parameters"] = {
      {"full_attention", std::move(full)},
      {"sliding_attention",
       {{"rope_type", scaling_word(RopeScaling::none)}, {"rope_theta", d.local_rope.theta}}}};
}

void write_layer_types(const Decoder& d, Json& config) {
  Json types = Json::array();
  for (std::int64_t i = 0; i < d.layers; ++i)
    types.push_back(d.layer(i).window ? "sliding_attention" : "full_attention");
  config["layer_types"] = std::move(types);
  if (d.window()) config["sliding_window"] = *d.window();
}

void write_window_layers(const Decoder& d, Json& config) {
  std::int64_t first = 0;
  while (first < d.layers && !d.layer(first).window) ++first;
  config["use_sliding_window"] = d.window().has_value();
  config["max_window_layers"] = first;
  if (d.window()) config["sliding_window"] = *d.window();
}

}  // namespace zp
