// What Granite has with and without state spaces: multipliers.
#pragma once

#include <array>

#include "model/field.h"

namespace zp::granite {

constexpr Field multiplier(std::string_view config, std::string_view gguf, Member<double> member) {
  return {config, gguf, Positive{member, 1}, Unsaid::left};
}
inline constexpr std::array kMultipliers = {
    multiplier("attention_multiplier", "attention.scale", member<&Decoder::attention_scale>),
    multiplier("embedding_multiplier", "embedding_scale", member<&Decoder::embedding_scale>),
    multiplier("residual_multiplier", "residual_scale", member<&Decoder::residual_scale>),
    multiplier("logits_scaling", "logit_scale", member<&Decoder::logit_divisor>),
};

}  // namespace zp::granite
