// What a grid does to one tensor: ranges, histograms, clipping, error, the worst group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "grid/grid.h"
#include "kernel/energy.h"
#include "method/method.h"
#include "tensor/rows.h"

namespace zp {

struct GroupReport {
  std::int64_t row = 0;
  std::int64_t column = 0;  ///< where it begins
  std::int64_t weights = 0;
  double lo = 0;  ///< smallest and largest weight
  double hi = 0;
  double reach_lo = 0;  ///< smallest and largest value its parameters can give
  double reach_hi = 0;
  double error = 0;  ///< root mean square
};

struct TensorExplanation {
  std::string name;
  std::string grid;
  std::string method;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  double lo = 0;
  double hi = 0;
  double mean = 0;
  double deviation = 0;
  std::int64_t clipped = 0;  ///< weights beyond what their group can reach
  double largest_error = 0;
  Energy energy;
  double bits_per_weight = 0;
  std::int64_t groups = 0;
  GroupReport worst;  ///< the group of the largest error
  /// Equal bins over [lo, hi]: how many weights, and how many decoded values.
  std::vector<std::int64_t> weights_histogram;
  std::vector<std::int64_t> decoded_histogram;
};

/// Throws Error when the grid can't hold the rows or a weight.
TensorExplanation explain_tensor(const std::string& name, const RowReader& rows, const Grid& grid,
                                 const Coder& coder);
Json to_json(const TensorExplanation& explanation);
std::string to_text(const TensorExplanation& explanation);

}  // namespace zp
