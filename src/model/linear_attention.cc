#include "model/linear_attention.h"

#include "base/json.h"
#include "model/config_writer.h"

namespace zp::linear_attention {
namespace {

constexpr const char* kTypes = "layer_types";
constexpr const char* kInterval = "full_attention_interval";
constexpr const char* kLinear = "linear_attention";
constexpr const char* kFull = "full_attention";
constexpr std::int64_t kUsualInterval = 4;

// layer_types says it; where there is none, in so many layers the last attends.
void read_mixers(ConfigReader& fields, Decoder& d) {
  const std::int64_t interval = fields.count(kInterval, kMostLayers + 1, kUsualInterval);
  std::vector<std::string> types;
  if (fields.has(kTypes)) {
    types = fields.texts(kTypes);
    if (std::ssize(types) != d.layers)
      fields.refuse(kTypes, "wrong length",
                    "one for each of " + std::to_string(d.layers) + " layers");
  } else {
    for (std::int64_t i = 0; i < d.layers; ++i)
      types.emplace_back(ends_period(i, interval) ? kFull : kLinear);
  }
  for (const std::string& type : types) {
    if (type != kLinear && type != kFull)
      fields.refuse(kTypes, "kind of layer not known", "linear_attention or full_attention");
  }
  const std::int64_t attending = std::ranges::count(types, kFull);
  if (attending == 0 || attending == d.layers)
    fields.refuse(kTypes, "not layers of both kinds", "linear_attention and full_attention");
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    const bool attends = types[static_cast<std::size_t>(i)] == kFull;
    layer.mixer = attends ? Mixer::attention : Mixer::gated_delta;
  });
}

}  // namespace

void fix(Decoder& d) {
  d.norm_plus_one = true;
  d.output_gate = true;
}

void read(ConfigReader& fields, Decoder& d) {
  if (d.delta.values % d.delta.keys != 0)
    fields.refuse("linear_num_value_heads", "no multiple of \"linear_num_key_heads\"",
                  "a multiple of " + std::to_string(d.delta.keys));
  read_mixers(fields, d);
}

void write(const Decoder& d, Json& config) {
  Json types = Json::array();
  for (std::int64_t i = 0; i < d.layers; ++i)
    types.push_back(d.layer(i).mixer == Mixer::attention ? kFull : kLinear);
  config[kTypes] = std::move(types);
  if (const auto period = attention_period(d)) config[kInterval] = *period;
}

}  // namespace zp::linear_attention
