// What is inside a statistics file: of each input of the model's linears its ranges, and what each
// observer would make of them for int8 activations, one scale for the tensor.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "grid/affine.h"
#include "kernel/range.h"

namespace zp {

/// Of int8 for the whole tensor; each observer is asked for all.
inline constexpr std::array<std::string_view, 2> kObservedGrids = {"int8:tensor:sym:s32",
                                                                   "int8:tensor:zero:s32"};

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
  std::int64_t expert = -1;  ///< -1: of none; of others nothing below is known
  std::int64_t tokens = 0;   ///< of the text, that go through the expert
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

}  // namespace zp
