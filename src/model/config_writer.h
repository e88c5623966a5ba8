// config.json made from a Decoder: the inverse of Architecture::read_config, for models whose
// source has none. Written in the words of transformers 4, which 5 reads too.
#pragma once

#include "base/json.h"
#include "model/architecture.h"

namespace zp {

/// What the model computes; no token ids and nothing of how weights are stored. read_config gives
/// an equal Decoder back, but for divisors of GGUF (RopeScaling::stated), which come back as
/// longrope with equal factors.
Json write_config(const Architecture& architecture, const Decoder& decoder);

// Parts of architectures' own writers.

std::string_view activation_word(Activation activation);
/// rope_type.
std::string_view scaling_word(RopeScaling scaling);
/// rope_theta, rope_scaling and partial_rotary_factor.
void write_rope(const Decoder& decoder, const RopeRules& rules, Json& config);
/// rope_parameters of both kinds, for who reads them there.
void write_rope_kinds(const Decoder& decoder, Json& config);
/// sliding_window and layer_types.
void write_layer_types(const Decoder& decoder, Json& config);
/// The Qwen family's three fields.
void write_window_layers(const Decoder& decoder, Json& config);

}  // namespace zp
