// Names of shards: NAME-00001-of-00003.safetensors. Hugging Face and llama.cpp count alike, from 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace zp {

struct ShardName {
  std::string stem;  ///< "NAME"
  int number = 0;    ///< 1 ... count
  int count = 0;
  std::string ending;  ///< ".safetensors"

  /// The name of another shard of the same model.
  std::string other(int shard) const;
};

/// Nothing when the name is no shard's.
std::optional<ShardName> parse_shard_name(std::string_view name);

}  // namespace zp
