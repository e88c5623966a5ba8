// Sizes, memory and what fits, before anything runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/export.h"

namespace zeropoint {

/// Fields have the names of the command line's options; empty: not asked for.
struct PlanRequest {
  std::string model;                       ///< a checkpoint, or a config.json alone
  std::optional<std::int64_t> parameters;  ///< a count instead of a model
  std::vector<std::string> to;             ///< CONTAINER[:GRID]; empty: the usual ones
  std::optional<std::int64_t> fit;         ///< bytes of the device's memory
  std::int64_t context = 4096;             ///< tokens the KV cache must hold
};

struct PlannedSize {
  std::string name;  ///< a dtype, a grid or a target
  double bits_per_weight = 0;
  std::int64_t bytes = 0;
  std::optional<bool> fits;  ///< nothing: `fit` was not asked for
};

/// Parts of a checkpoint beside its decoder of text.
struct Beside {
  std::string what;  ///< "vision tower"
  std::int64_t tensors = 0;
  std::int64_t parameters = 0;
  std::int64_t bytes = 0;
};

struct Plan {
  std::int64_t parameters = 0;
  std::int64_t active_parameters = 0;  ///< for one token, of a mixture of experts; 0: all
  std::vector<Beside> beside;          ///< not counted in parameters
  std::vector<PlannedSize> by_dtype;   ///< bits / 8 x parameters
  std::vector<PlannedSize> outputs;    ///< of a model: exact sizes of files; of a count: of grids
  std::int64_t memory_bytes = 0;       ///< that quantizing takes at most, beside the mapped input
  std::optional<std::int64_t>
      kv_cache_bytes;        ///< in FP16; nothing: of a count, which has no shapes
  std::int64_t context = 0;  ///< tokens of it, as many as the model takes
};

/// Throws UsageError for what can't be asked for, Error for what files don't allow.
ZEROPOINT_API Plan plan(const PlanRequest& request);

/// Bytes: "2G" or "2GiB", "500M", "4GB" (10^9), "123". field: what messages begin with. Throws
/// UsageError.
ZEROPOINT_API std::int64_t parse_size(std::string_view text, std::string_view field = "size");
/// "70B", "3.8B", "124M". Throws UsageError.
ZEROPOINT_API std::int64_t parse_parameters(std::string_view text);

}  // namespace zeropoint
