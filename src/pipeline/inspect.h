// What is inside a checkpoint (tensors, what they do in the network, metadata, what is wrong) or a
// file of statistics.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "model/beside.h"
#include "pipeline/inspect_statistics.h"
#include "source/checkpoint.h"

namespace zp {

/// Fields have the names of the command line's options.
struct InspectRequest {
  std::string path;
  bool values = false;  ///< every weight is read, and those that aren't finite are counted
};

struct InspectedTensor {
  std::string name;
  std::string role;  ///< as `set` has it; empty when the architecture doesn't know the tensor
  std::vector<std::int64_t> shape;
  std::string grid;  ///< or dtype
  std::int64_t bytes = 0;
};

struct Inspection {
  std::string container;        ///< the source's kind
  std::string architecture;     ///< our name of it, else what the files say, else empty
  std::int64_t parameters = 0;  ///< elements of all tensors but integers and booleans
  double bits_per_weight = 0;   ///< of the same tensors
  std::int64_t bytes = 0;       ///< of the weight files
  /// GGUF's pairs (arrays of more than 16 as {"count": n}), else config.json.
  Json metadata;
  std::vector<InspectedTensor> tensors;
  std::vector<BesideCount> beside;    ///< of these what the decoder of text has no use for
  std::vector<std::string> notes;     ///< as the commands that read models say them, a line each
  std::vector<std::string> problems;  ///< a line each
};

/// Of a checkpoint, or of statistics.
using InspectOutcome = std::variant<Inspection, StatisticsInspection>;

/// Throws Error for files that can't be read at all; Cancelled where the team or the progress is.
InspectOutcome inspect(const InspectRequest& request, const Team& team, Progress& progress);

/// Without the values.
Inspection inspect(const Checkpoint& checkpoint);
/// A problem for each tensor with values that aren't finite; reads all of them.
std::vector<std::string> find_not_finite(const Checkpoint& checkpoint, Progress& progress);

}  // namespace zp
