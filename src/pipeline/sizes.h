// What a model takes: bits / 8 x parameters, and the cache of keys and values beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/decoder.h"

namespace zp {

struct SizeRow {
  std::string name;  ///< a dtype ("fp16") or a grid ("int4:g32:zero:s16")
  double bits_per_weight = 0;
  std::int64_t bytes = 0;
  std::optional<bool> fits = {};  ///< a device's memory; nothing: there is none to fit
};

/// 64-, 32-, 16-, 8- and 4-bit numbers: what textbooks compute.
std::vector<SizeRow> dtype_sizes(std::int64_t parameters);
/// Grids with their scales and offsets, on rows of 4,096.
std::vector<SizeRow> grid_sizes(std::int64_t parameters);

/// Keys and values of `context` tokens in FP16: 2 x layers with attention x KV heads x head size x
/// context x 2 bytes; and the states of other layers, in FP32.
std::int64_t kv_cache_bytes(const Decoder& decoder, std::int64_t context);

/// "70B", "3.8B", "124M", "1234567". Throws UsageError.
std::int64_t parse_parameters(const std::string& text);

}  // namespace zp
