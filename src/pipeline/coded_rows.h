// A tensor as an output stores it, in memory: what a model whose layers are quantized one by one
// goes on with.
#pragma once

#include <memory>
#include <vector>

#include "base/parallel.h"
#include "container/container.h"
#include "method/method.h"

namespace zp {

class CodedRows final : public RowReader {
 public:
  /// Of a job that is a weight, whose grid may not be of the whole tensor.
  CodedRows(const TensorJob& job, const Decoder& decoder);
  ~CodedRows() override;

  /// The planes of rows [begin, begin + count) of the job. Different rows from many threads.
  void set(std::int64_t begin, std::int64_t count,
           const std::vector<std::vector<std::byte>>& planes);
  /// In our own form, whatever the job's.
  void read(std::int64_t begin, std::int64_t count, float* out) const override;

 private:
  class Stored;
  std::unique_ptr<Stored> stored_;
  std::unique_ptr<RowReader> own_form_;  // of what is stored; nullptr: as it is
};

/// Codes so many tiles of the weight's rows with mse, spread evenly, or all where there are no
/// more: the squared error, its columns weighted by `weights` (empty: each 1). What the rows become
/// goes to `rows`, where there are any. Throws Error as check_weights() does.
double code_rows(const Weight& weight, const std::shared_ptr<const Grid>& grid,
                 const InputStatistics& inputs, Floats weights, std::int64_t tiles,
                 const Team& team, CodedRows* rows);

}  // namespace zp
