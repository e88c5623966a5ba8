#include "model/rope_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace {

struct ScalingName {
  std::string_view name;
  RopeScaling scaling;
};
constexpr std::array kScalings = {
    ScalingName{"default", RopeScaling::none},  ScalingName{"linear", RopeScaling::linear},
    ScalingName{"llama3", RopeScaling::llama3}, ScalingName{"longrope", RopeScaling::longrope},
    ScalingName{"su", RopeScaling::longrope},   ScalingName{"yarn", RopeScaling::yarn},
};

/// A number that may stand in config.json, in the rope's own object, or in both with one value.
std::optional<double> in_either(ConfigReader& fields, ConfigReader* inner, std::string_view key) {
  std::optional<double> value;
  if (fields.has(key)) value = fields.positive(key);
  if (inner != nullptr && inner->has(key)) {
    const double x = inner->positive(key);
    if (value && *value != x)
      inner->refuse(key, "differs from config.json's own", std::to_string(*value));
    value = x;
  }
  return value;
}

RopeScaling read_scaling(ConfigReader& inner, const RopeRules& rules) {
  const std::string_view key = inner.either("rope_type", "type");
  const std::string name = inner.text(key, "default");
  std::string known;
  for (const ScalingName& s : kScalings) {
    if (std::find(rules.scalings.begin(), rules.scalings.end(), s.scaling) == rules.scalings.end())
      continue;
    if (s.name == name) return s.scaling;
    known += (known.empty() ? "" : ", ") + std::string(s.name);
  }
  inner.refuse(key, "rope type not supported", known);
}

/// YaRN's paper: attention is sharpened by 0.1 ln(factor) + 1.
double yarn_scale(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

void read_yarn(ConfigReader& inner, bool sharpens, Rope& rope) {
  rope.factor = inner.positive("factor");
  rope.beta_fast = inner.positive("beta_fast", rope.beta_fast);
  rope.beta_slow = inner.positive("beta_slow", rope.beta_slow);
  rope.truncate = inner.boolean("truncate", true);
  rope.attention_factor = yarn_scale(rope.factor, 1);
  const bool both = inner.has("mscale") && inner.has("mscale_all_dim");
  if (both) {
    rope.attention_factor = yarn_scale(rope.factor, inner.positive("mscale")) /
                            yarn_scale(rope.factor, inner.positive("mscale_all_dim"));
  }
  rope.attention_factor = inner.positive("attention_factor", rope.attention_factor);
  if (sharpens && inner.has("mscale_all_dim")) rope.sharpening = inner.positive("mscale_all_dim");
}

void read_longrope(ConfigReader& inner, const Decoder& decoder, bool mscales, Rope& rope) {
  const auto pairs = static_cast<std::size_t>(rope.dims / 2);
  rope.short_factor = inner.positives("short_factor", pairs);
  rope.long_factor = inner.positives("long_factor", pairs);
  const auto original = static_cast<double>(rope.original_context);
  rope.factor = inner.positive("factor", static_cast<double>(decoder.context) / original);
  const double natural = rope.factor <= 1 || original <= 1
                             ? 1.0
                             : std::sqrt(1 + std::log(rope.factor) / std::log(original));
  rope.attention_factor = inner.positive("attention_factor", natural);
  if (!mscales) return;
  rope.attention_factor = inner.positive("short_mscale");
  const double longer = inner.positive("long_mscale");
  if (longer != rope.attention_factor) rope.long_attention_factor = longer;
}

void read_llama3(ConfigReader& inner, Rope& rope) {
  rope.factor = inner.positive("factor");
  rope.low_freq_factor = inner.positive("low_freq_factor");
  rope.high_freq_factor = inner.positive("high_freq_factor");
  if (rope.low_freq_factor >= rope.high_freq_factor) {
    inner.refuse("low_freq_factor", "out of range", "below high_freq_factor");
  }
}

void read_scaling_fields(ConfigReader& inner, const Decoder& decoder, const RopeRules& rules,
                         Rope& rope) {
  switch (rope.scaling) {
    case RopeScaling::none:
    case RopeScaling::stated:  // config.json has no such thing
      break;
    case RopeScaling::linear:
      rope.factor = inner.positive("factor");
      break;
    case RopeScaling::llama3:
      read_llama3(inner, rope);
      break;
    case RopeScaling::longrope:
      read_longrope(inner, decoder, rules.mscales, rope);
      break;
    case RopeScaling::yarn:
      read_yarn(inner, rules.sharpens, rope);
      break;
  }
}

std::int64_t rotated_dims(ConfigReader& fields, ConfigReader* inner, const Decoder& decoder,
                          const RopeRules& rules) {
  const std::optional<double> share = in_either(fields, inner, "partial_rotary_factor");
  if (share && (*share > 1 || (*share < 1 && !rules.partial_allowed))) {
    throw Error(fields.where() + ": \"partial_rotary_factor\"", "value not supported",
                rules.partial_allowed ? "at most 1" : "1", std::to_string(*share));
  }
  const std::int64_t whole = rules.of != nullptr ? rules.of(decoder) : decoder.head_dim;
  const auto part = [&](double of) {
    return static_cast<std::int64_t>(static_cast<double>(whole) * of);
  };
  const std::int64_t dims = share ? part(*share) : rules.dims != 0 ? rules.dims : part(rules.share);
  if (dims < 2 || dims % 2 != 0) {
    throw Error(fields.where(), "rotated dimensions of a head must be even and at least 2", {},
                std::to_string(dims));
  }
  return dims;
}

constexpr std::string_view kNew = "rope_parameters";
constexpr std::string_view kOld = "rope_scaling";

/// rope_parameters as given, rope_scaling, or both where what they both say is the same; or null.
Json stated_rope(ConfigReader& fields, const Json& parameters) {
  if (parameters.is_null()) return fields.has(kOld) ? fields.at(kOld) : Json();
  Json both = parameters;
  if (!fields.has(kOld)) return both;
  const Json& old = fields.at(kOld);
  if (!both.is_object() || !old.is_object()) fields.refuse(kOld, "wrong type", "an object");
  for (const auto& [key, value] : old.items()) {
    if (both.contains(key) && both[key] != value)
      fields.refuse(kOld, "differs from \"rope_parameters\"", both.dump_ascii());
    both[key] = value;
  }
  return both;
}

Json parameters_of(ConfigReader& fields) { return fields.has(kNew) ? fields.at(kNew) : Json(); }

Rope read_rope_of(ConfigReader& fields, const Json& parameters, const Decoder& decoder,
                  const RopeRules& rules) {
  const Json stated = stated_rope(fields, parameters);
  std::optional<ConfigReader> inner;
  if (!stated.is_null()) inner.emplace(stated, fields.where() + ": rope");
  ConfigReader* const object = inner ? &*inner : nullptr;

  Rope rope;
  rope.theta = in_either(fields, object, "rope_theta").value_or(rules.theta);
  rope.dims = rotated_dims(fields, object, decoder, rules);
  if (object != nullptr) rope.scaling = read_scaling(*object, rules);
  const auto original = in_either(fields, object, "original_max_position_embeddings");
  const auto context = static_cast<double>(decoder.context);
  if (original.value_or(1) > static_cast<double>(kMostContext)) {
    throw Error(fields.where() + ": \"original_max_position_embeddings\"", "out of range",
                "1 to " + std::to_string(kMostContext), std::to_string(*original));
  }
  rope.original_context = static_cast<std::int64_t>(original.value_or(context));
  if (object != nullptr) {
    read_scaling_fields(*object, decoder, rules, rope);
    object->finish(decoder.architecture, rules.beside);
  }
  return rope;
}

/// Of the layers with a window, whose object of rope_parameters this is, or null.
double local_theta(ConfigReader& fields, const Json& parameters, const Decoder& decoder,
                   const LocalTheta& local) {
  double theta = decoder.rope.theta;
  if (!local.key.empty()) theta = fields.positive(local.key, local.otherwise);
  if (parameters.is_null()) return theta;
  ConfigReader inner(parameters, fields.where() + ": rope of sliding_attention");
  if (inner.text("rope_type", "default") != "default")
    inner.refuse("rope_type", "rope type not supported", "default");
  theta = inner.positive("rope_theta", theta);
  inner.finish(decoder.architecture);
  return theta;
}

}  // namespace

Rope read_rope(ConfigReader& fields, const Decoder& decoder, const RopeRules& rules) {
  return read_rope_of(fields, parameters_of(fields), decoder, rules);
}

void read_rope_kinds(ConfigReader& fields, Decoder& d, const RopeRules& rules,
                     const LocalTheta& local) {
  constexpr const char* kFull = "full_attention";
  constexpr const char* kSliding = "sliding_attention";
  Json full = parameters_of(fields);
  Json sliding;
  if (full.is_object() && (full.contains(kFull) || full.contains(kSliding))) {
    for (const auto& [key, value] : full.items()) {
      if (key != kFull && key != kSliding) fields.refuse(kNew, "kind of layer not known");
    }
    sliding = full.value(kSliding, Json());
    full = full.value(kFull, Json());
  }
  d.rope = read_rope_of(fields, full, d, rules);
  const double theta = local_theta(fields, sliding, d, local);
  if (!d.window()) return;
  d.local_rope.theta = theta;
  d.local_rope.dims = d.rope.dims;
  d.local_rope.original_context = d.context;
  set_layers(d, [](std::int64_t, Layer& layer) {
    layer.rope = layer.window ? RopeKind::local : RopeKind::global;
  });
}

}  // namespace zp
