// What rewrites look at before anything is coded: some rows of each linear, the grids it will have,
// and the second moments of its inputs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "calibrate/calibration.h"
#include "pipeline/plan.h"

namespace zp {

/// For each weight of the plan's model the grid in each output; nullptr where the weight isn't
/// coded by rows.
std::vector<std::vector<const Grid*>> grids_of(const Plan& plan);

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

/// The whole symmetric matrix, the mean of its diagonal 1; all zeros where there was nothing else.
std::vector<float> whole_moments(const Moments& moments);

/// A pass of the float model that gathers full second moments. Borrows the model and the team.
std::unique_ptr<Calibration> float_pass(const Model& model,
                                        const std::vector<std::vector<std::int32_t>>& windows,
                                        const Team& team);

}  // namespace zp
