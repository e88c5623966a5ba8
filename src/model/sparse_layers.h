// Which layers have experts, as the Qwen family says it: every so-manieth, but for some.
#pragma once

#include "base/json.h"
#include "model/config_reader.h"

namespace zp {

/// decoder_sparse_step and mlp_only_layers.
void read_sparse_layers(ConfigReader& fields, Decoder& decoder);
void write_sparse_layers(const Decoder& decoder, Json& config);

}  // namespace zp
