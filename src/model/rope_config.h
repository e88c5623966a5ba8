// The rotary embedding's part of config.json, as transformers 4 and 5 write it: rope_theta and
// rope_scaling {type or rope_type, ...}, or rope_parameters {rope_type, rope_theta, ...}.
#pragma once

#include <string_view>

#include "model/config_reader.h"

namespace zp {

/// Needs decoder.head_dim and decoder.context.
Rope read_rope(ConfigReader& fields, const Decoder& decoder, const RopeRules& rules = {});

/// The base of the layers with a window, in config.json without rope_parameters.
struct LocalTheta {
  std::string_view key;      ///< empty: it is that of the others
  double otherwise = 10000;  ///< where the key isn't there
};

/// Sets both ropes, and which layers have which: those with a window the local one, which is without
/// scaling. rope_parameters has an object for full_attention and one for sliding_attention, or
/// rope_theta and rope_scaling are of the layers that see everything. Needs the windows, too.
void read_rope_kinds(ConfigReader& fields, Decoder& decoder, const RopeRules& rules,
                     const LocalTheta& local);

}  // namespace zp
