// What is inside a statistics file: of each input of the model's linears its ranges, and what each
// observer would make of them for int8 activations, one scale for the tensor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/parallel.h"
#include "grid/affine.h"
#include "kernel/range.h"

namespace zp {

/// An observer's range on one grid.
struct ObservedRange {
  std::string observer;
  std::string grid;
  Range range;
  AffineParams params;
  double mean_squared_error = 0;  ///< expected, see observer/expected_error.h
  double sqnr_db = 0;             ///< infinite where there is no error
};

struct InspectedInput {
  std::int64_t layer = -1;  ///< -1: none
  std::string role;
  std::int64_t columns = 0;
  std::int64_t rows = 0;
  Range range;
  std::int64_t outlier_columns = 0;     ///< with a magnitude of kOutlier or more
  std::vector<ObservedRange> observed;  ///< observers by grids
};

/// From here on LLM.int8 (Dettmers et al., 2022) keeps a column of the inputs in 16 bits.
inline constexpr float kOutlier = 6.0f;

struct StatisticsInspection {
  std::uint64_t model = 0;
  std::int64_t tokens = 0;
  std::int64_t context = 0;
  std::int64_t bytes = 0;
  std::vector<InspectedInput> inputs;
};

/// Throws Error for a file that is damaged or of another version.
StatisticsInspection inspect_statistics(Bytes file, const std::string& where, const Team& team);

/// {container: "statistics", model, tokens, context, bytes, inputs: [{layer, role, columns, rows,
/// range, outlier_columns, observers: [{observer, grid, range, scale, zero_point,
/// mean_squared_error, sqnr_db}]}]}
Json to_json(const StatisticsInspection& inspection);
/// Lines, each ended.
std::string to_text(const StatisticsInspection& inspection);

}  // namespace zp
