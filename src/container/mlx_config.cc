#include "container/mlx_config.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/json.h"
#include "container/agreement.h"
#include "model/config_writer.h"

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
    // Of latent attention it would be the rotated part's, as transformers has it.
    if (decoder.latent.rank == 0) hoist(config, "head_dim", decoder.head_dim);
    hoist(config, "max_position_embeddings", decoder.context);
  }
}

/// YaRN's factor of 0.1 mscale ln(factor) + 1, over the same with mscale_all_dim.
double yarn_term(const Json& scaling, const char* mscale, double otherwise, double factor) {
  const Json stated = field(scaling, mscale);
  return 0.1 * (stated.is_number() ? stated.get<double>() : otherwise) * std::log(factor) + 1;
}

// mlx-lm knows no attention_factor, and takes mscale where transformers leaves it aside.
void spell_attention_factor(Json& scaling, const Rope& rope) {
  if (rope.factor <= 1) return;
  const double computed = yarn_term(scaling, "mscale", 1, rope.factor) /
                          yarn_term(scaling, "mscale_all_dim", 0, rope.factor);
  if (static_cast<float>(computed) == static_cast<float>(rope.attention_factor)) return;
  scaling["mscale"] = (rope.attention_factor - 1) / (0.1 * std::log(rope.factor));
  scaling["mscale_all_dim"] = 0;
}

void spell_rope(Json& config, const Decoder& decoder) {
  const Rope& rope = decoder.rope;
  if (rope.dims == 0) return;
  // Hunyuan's base is another than the one it states.
  if (const Json stated = field(config, "rope_theta");
      !stated.is_number() || stated.get<double>() != rope.theta)
    config["rope_theta"] = rope.theta;
  const std::int64_t head = most_of_layers(decoder, [&](std::int64_t layer) {
    return decoder.layer(layer).rope == RopeKind::local ? 0 : decoder.head_dim_of(layer);
  });
  if (rope.dims < head && decoder.latent.rank == 0) {
    const auto share = static_cast<double>(rope.dims) / static_cast<double>(head);
    hoist(config, "partial_rotary_factor", share);
  }
  if (rope.scaling == RopeScaling::none) {
    // {"rope_type": "default"}, which not every module knows.
    if (field(config, "rope_scaling").is_object()) config["rope_scaling"] = nullptr;
    return;
  }
  hoist(config, "original_max_position_embeddings", rope.original_context);
  Json parameters = field(config, "rope_parameters");
  if (parameters.is_object() && parameters.contains("full_attention"))
    parameters = Json(parameters["full_attention"]);  // the other kind's is without scaling
  hoist(config, "rope_scaling", parameters);
  Json scaling = field(config, "rope_scaling");
  if (!scaling.is_object()) return;
  hoist(scaling, "type", field(scaling, "rope_type"));
  hoist(scaling, "rope_type", field(scaling, "type"));
  hoist(scaling, "original_max_position_embeddings", rope.original_context);
  if (rope.scaling == RopeScaling::yarn) spell_attention_factor(scaling, rope);
  config["rope_scaling"] = std::move(scaling);
}

}  // namespace

void spell_for_module(Json& config, const Model& model) {
  const MlxFacts& facts = model.architecture->mlx;
  const Json type = field(config, "model_type");
  if (std::ranges::find(facts.model_types, type) == facts.model_types.end())
    config["model_type"] = std::string(facts.model_types.front());
  if (facts.fields.empty() && facts.respelled.empty()) return;
  const Json all = write_config(*model.architecture, model.decoder);
  for (const std::string_view name : facts.fields) {
    const std::string key(name);
    if (!all.contains(key)) continue;
    hoist(config, key.c_str(), all[key]);
    if (!config.contains(key)) config[key] = nullptr;  // some are wanted, though null
  }
  for (const std::string_view name : facts.respelled) {
    const std::string key(name);
    config[key] = all[key];
  }
}

std::vector<std::string> mlx_notes(const Model& model) {
  const MlxFacts& facts = model.architecture->mlx;
  return runtime_notes(model.decoder, facts.computes, "mlx-lm",
                       "mlx, mlx-lm's module " + std::string(facts.model_types.front()));
}

Json mlx_config(Json config, const Decoder& decoder, std::span<const MlxModule> modules) {
  spell_sizes(config, decoder);
  spell_rope(config, decoder);
  if (const Json how = quantization(modules); !how.is_null()) {
    config["quantization"] = how;
    config["quantization_config"] = how;
  }
  return config;
}

Json in_whole(Json config, Json whole) {
  for (const char* key :
       {"bos_token_id", "eos_token_id", "pad_token_id", "quantization", "quantization_config"}) {
    hoist(whole, key, field(config, key));
    config.erase(key);
  }
  whole["text_config"] = std::move(config);
  return whole;
}

}  // namespace zp
