#include "container/mlx_config.h"

#include <map>
#include <utility>

namespace zp {
namespace {

Json words(const mlx::Form& form) {
  return {{"group_size", form.group}, {"bits", form.bits}, {"mode", form.mode->name}};
}

/// Null when nothing is quantized.
Json quantization(std::span<const MlxModule> modules) {
  std::map<mlx::Form, std::int64_t> parameters;
  for (const MlxModule& m : modules) {
    if (m.form) parameters[*m.form] += m.parameters;
  }
  if (parameters.empty()) return nullptr;
  auto most = parameters.begin();
  for (auto i = parameters.begin(); i != parameters.end(); ++i) {
    if (i->second > most->second) most = i;
  }
  Json all = words(most->first);
  for (const MlxModule& m : modules) {
    if (!m.form) {
      all[m.path] = false;
    } else if (*m.form != most->first) {
      all[m.path] = words(*m.form);
    }
  }
  return all;
}

/// Sets config[name] unless that says something already.
void hoist(Json& config, const char* name, const Json& value) {
  if (!value.is_null() && config.value(name, Json()).is_null()) config[name] = value;
}

/// object[key], or null.
Json field(const Json& object, const char* key) { return object.value(key, Json()); }

void spell_sizes(Json& config, const Decoder& decoder) {
  if (config.contains("num_attention_heads")) {
    hoist(config, "num_key_value_heads", decoder.kv_heads);
    hoist(config, "head_dim", decoder.head_dim);
    hoist(config, "max_position_embeddings", decoder.context);
  }
  if (config.contains("n_positions")) {  // GPT-2's words
    hoist(config, "n_ctx", decoder.context);
    hoist(config, "layer_norm_epsilon", decoder.norm_epsilon);
  }
}

void spell_rope(Json& config, const Decoder& decoder) {
  const Rope& rope = decoder.rope;
  if (rope.dims == 0) return;
  hoist(config, "rope_theta", rope.theta);
  if (rope.dims != decoder.head_dim) {
    const auto share = static_cast<double>(rope.dims) / static_cast<double>(decoder.head_dim);
    hoist(config, "partial_rotary_factor", share);
  }
  if (rope.scaling == RopeScaling::none) return;
  hoist(config, "original_max_position_embeddings", rope.original_context);
  hoist(config, "rope_scaling", field(config, "rope_parameters"));
  Json scaling = field(config, "rope_scaling");
  if (!scaling.is_object()) return;
  hoist(scaling, "type", field(scaling, "rope_type"));
  hoist(scaling, "rope_type", field(scaling, "type"));
  hoist(scaling, "original_max_position_embeddings", rope.original_context);
  config["rope_scaling"] = std::move(scaling);
}

}  // namespace

Json mlx_config(Json config, const Decoder& decoder, std::span<const MlxModule> modules) {
  spell_sizes(config, decoder);
  spell_rope(config, decoder);
  if (const Json how = quantization(modules); !how.is_null()) {
    config["quantization"] = how;
    config["quantization_config"] = how;
  }
  return config;
}

}  // namespace zp
