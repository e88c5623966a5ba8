// What is inside a checkpoint, or a file of calibrate().
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "zeropoint/export.h"
#include "zeropoint/plan.h"
#include "zeropoint/work.h"

namespace zeropoint {

struct InspectRequest {
  std::string path;
  bool values = false;  ///< every weight is read, and those that aren't finite are counted
};

struct InspectedTensor {
  std::string name;
  std::string role;  ///< as quantize()'s `set` has it; empty: not known
  std::vector<std::int64_t> shape;
  std::string grid;  ///< or dtype
  std::int64_t bytes = 0;
};

struct Inspection {
  std::string container;     ///< gguf, safetensors, ...
  std::string architecture;  ///< empty: not known
  std::int64_t parameters = 0;
  double bits_per_weight = 0;
  std::int64_t bytes = 0;  ///< of the weight files
  std::string metadata;    ///< JSON: GGUF's pairs (long arrays as {"count": n}), else config.json
  std::vector<InspectedTensor> tensors;
  std::vector<Beside> beside;
  std::vector<std::string> notes;
  std::vector<std::string> problems;
};

/// A range that an observer chose for int8 activations, one scale for the tensor.
struct ObservedRange {
  std::string observer;
  std::string grid;
  double lo = 0;
  double hi = 0;
  double scale = 0;
  std::int64_t zero_point = 0;
  double mean_squared_error = 0;
  double sqnr_db = 0;  ///< infinite where there is no error
};

struct InspectedInput {
  std::int64_t layer = -1;  ///< -1: outside the layers
  std::string role;
  std::int64_t columns = 0;
  std::int64_t rows = 0;
  std::int64_t expert = -1;  ///< -1: of none; of others nothing below is known
  std::int64_t tokens = 0;   ///< of the text, that go through the expert
  double lo = 0;
  double hi = 0;
  std::int64_t outlier_columns = 0;  ///< with a magnitude of 6 or more (LLM.int8)
  std::vector<ObservedRange> observed;
};

/// Of a file of statistics.
struct StatisticsInspection {
  std::int64_t tokens = 0;
  std::int64_t context = 0;
  std::int64_t bytes = 0;
  std::vector<InspectedInput> inputs;
};

/// Throws Error for files that can't be read at all; Cancelled.
ZEROPOINT_API std::variant<Inspection, StatisticsInspection> inspect(const InspectRequest& request,
                                                                     const Work& work = {});

}  // namespace zeropoint
