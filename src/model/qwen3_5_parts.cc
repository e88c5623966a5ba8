#include "model/qwen3_5_parts.h"

#include "base/json.h"

namespace zp::qwen3_5 {

void write(const Decoder& d, Json& config) {
  linear_attention::write(d, config);
  Json rope = config.value("rope_scaling", Json());
  if (!rope.is_object()) rope = {{"rope_type", "default"}};
  for (const char* key : {"rope_theta", "partial_rotary_factor"}) {
    if (config.contains(key)) rope[key] = config[key];
    config.erase(key);
  }
  config.erase("rope_scaling");
  config["rope_parameters"] = std::move(rope);
}

}  // namespace zp::qwen3_5
