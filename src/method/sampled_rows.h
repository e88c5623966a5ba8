// What of a linear's weights rewrites look at.
#pragma once

#include <cstdint>
#include <vector>

#include "base/view.h"
#include "tensor/rows.h"

namespace zp {

/// Rows spread evenly, 256 at most: what columns lose is much alike in all rows.
class SampledRows {
 public:
  explicit SampledRows(const RowReader& rows);
  Matrix view() const { return {values_.data(), rows_, cols_}; }
  static std::int64_t bytes(std::int64_t cols);

 private:
  std::int64_t rows_;
  std::int64_t cols_;
  std::vector<float> values_;
};

/// Of each column the largest magnitude, over all rows.
std::vector<float> largest_of_columns(const RowReader& rows);

}  // namespace zp
