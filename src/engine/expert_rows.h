// Which tokens go to which expert.
#pragma once

#include <cstdint>
#include <vector>

#include "base/view.h"

namespace zp {

/// Rows of what is dispatched, as routes say (one row per token, one column per expert; 0: not
/// chosen): the first expert's tokens in their order, then the next one's.
struct ExpertRows {
  explicit ExpertRows(Matrix routes);

  std::int64_t count(std::int64_t expert) const { return begin_of(expert + 1) - begin_of(expert); }
  std::int64_t begin_of(std::int64_t expert) const {
    return begin[static_cast<std::size_t>(expert)];
  }

  /// An expert's rows of a dispatched value.
  Matrix of(std::int64_t expert, Matrix dispatched) const {
    return dispatched.rows_from(begin_of(expert), count(expert));
  }

  std::vector<std::int64_t> begin;  ///< of each expert's rows, and the end of all
  std::vector<std::int64_t> token;  ///< of each row
};

}  // namespace zp
