// How a tensor's weights lie, and which values one of its groups can take.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grid/grid.h"
#include "tensor/rows.h"

namespace zp {

struct WeightHistogram {
  std::string tensor;
  std::string role;
  std::string grid;
  double lo = 0;  ///< of the first bin
  double hi = 0;  ///< of the last
  std::vector<std::int64_t> bins;
  std::int64_t beyond = 0;   ///< weights outside of the bins
  std::int64_t counted = 0;  ///< weights read: all, or those of rows at equal distances
  std::int64_t weights = 0;  ///< that there are
  double deviation = 0;      ///< root mean square of the weights read
  double largest = 0;        ///< of their magnitudes
  /// What the parameters of one group (that of the median range among those read) can give,
  /// ascending; empty where the grid has more values than can be shown.
  std::vector<float> values;
  std::int64_t row = 0;  ///< where the group begins
  std::int64_t column = 0;
};

/// fit: how the method fits parameters. Names stay empty.
WeightHistogram weight_histogram(const RowReader& rows, const Grid& grid, Fit fit);

}  // namespace zp
