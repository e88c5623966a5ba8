#include "container/mlx_config.h"

#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace zp {
namespace {

using Kind = std::pair<std::int64_t, int>;  // group, bits

Kind kind_of(const AffineForm& form) { return {form.group, form.bits}; }

Json words(const Kind& kind) {
  return {{"group_size", kind.first}, {"bits", kind.second}, {"mode", "affine"}};
}

/// Null when nothing is quantized.
Json quantization(std::span<const MlxModule> modules) {
  std::map<Kind, std::int64_t> parameters;
  for (const MlxModule& m : modules) {
    if (m.form != nullptr) parameters[kind_of(*m.form)] += m.parameters;
  }
  if (parameters.empty()) return nullptr;
  auto most = parameters.begin();
  for (auto i = parameters.begin(); i != parameters.end(); ++i) {
    if (i->second > most->second) most = i;
  }
  Json all = words(most->first);
  for (const MlxModule& m : modules) {
    if (m.form == nullptr) {
      all[m.path] = false;
    } else if (kind_of(*m.form) != most->first) {
      all[m.path] = words(kind_of(*m.form));
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

/// transformers 5 keeps everything about rotation in "rope_parameters"; mlx-lm's models read the
/// keys that were there before, "type" as well as "rope_type".
void spell_rope(Json& config) {
  const char* original = "original_max_position_embeddings";
  if (const Json parameters = field(config, "rope_parameters"); parameters.is_object()) {
    for (const char* key : {"rope_theta", "partial_rotary_factor", original}) {
      hoist(config, key, field(parameters, key));
    }
    const Json type = field(parameters, "rope_type");
    if (type.is_string() && type != "default") hoist(config, "rope_scaling", parameters);
  }
  Json scaling = field(config, "rope_scaling");
  if (!scaling.is_object()) return;
  hoist(scaling, "type", field(scaling, "rope_type"));
  hoist(scaling, "rope_type", field(scaling, "type"));
  hoist(scaling, original, field(config, original));
  hoist(config, original, field(scaling, original));
  config["rope_scaling"] = std::move(scaling);
}

struct Alias {
  std::string_view model_type;
  const char* name;  // what mlx-lm insists on
  const char* from;  // what stands for it
};
constexpr std::array kAliases = {
    Alias{"gpt2", "n_ctx", "n_positions"},
    Alias{"gpt_neox", "rotary_emb_base", "rope_theta"},
    Alias{"gpt_neox", "rotary_pct", "partial_rotary_factor"},
};

}  // namespace

Json mlx_config(Json config, std::span<const MlxModule> modules) {
  spell_rope(config);
  const Json type = field(config, "model_type");
  for (const Alias& alias : kAliases) {
    if (type == alias.model_type) hoist(config, alias.name, field(config, alias.from));
  }
  const Json how = quantization(modules);
  if (!how.is_null()) {
    config["quantization"] = how;
    config["quantization_config"] = how;
  }
  return config;
}

}  // namespace zp
