// Sizes, memory and what fits, before anything runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "model/beside.h"
#include "pipeline/sizes.h"

namespace zp {

/// Fields have the names of the command line's options; empty: not asked for.
struct PlanRequest {
  std::string model;                       ///< a checkpoint, or a config.json alone
  std::optional<std::int64_t> parameters;  ///< a count instead of a model
  std::vector<std::string> to;             ///< CONTAINER[:GRID]; empty: the usual ones
  std::optional<std::int64_t> fit;         ///< bytes of the device's memory
  std::int64_t context = 4096;             ///< tokens the KV cache must hold
};

struct PlanOutcome {
  std::int64_t parameters = 0;
  std::int64_t active_parameters = 0;  ///< of a mixture of experts; 0: all
  std::vector<BesideCount> beside;     ///< of the checkpoint, not counted in parameters
  std::vector<SizeRow> by_dtype;       ///< bits / 8 x parameters
  std::vector<SizeRow> outputs;        ///< of a model: exact sizes of files; of a count: of grids
  std::int64_t memory_bytes = 0;       ///< that quantizing takes at most, beside the mapped input
  std::optional<std::int64_t> kv_cache_bytes;  ///< nothing: of a count, which has no shapes
  std::int64_t context = 0;                    ///< tokens of it, as many as the model takes
};

/// Throws UsageError for what can't be asked for, Error for what files don't allow.
PlanOutcome plan_sizes(const PlanRequest& request, Progress& progress);

}  // namespace zp
