// What is inside a checkpoint: tensors, what they do in the network, metadata, and what is wrong.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "source/checkpoint.h"

namespace zp {

struct InspectedTensor {
  std::string name;
  std::string role;  ///< as --set has it; empty when the architecture doesn't know the tensor
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
  std::vector<std::string> notes;     ///< as the commands that read models say them, a line each
  std::vector<std::string> problems;  ///< a line each
};

/// With `values` every weight is read and those that aren't finite are counted.
Inspection inspect(const Checkpoint& checkpoint, bool values);

/// {container, architecture, parameters, bits_per_weight, bytes, metadata {}, tensors [{name, role,
/// shape, grid, bytes}], notes [], problems []}
Json to_json(const Inspection& inspection);
/// Lines, each ended.
std::string to_text(const Inspection& inspection);

}  // namespace zp
