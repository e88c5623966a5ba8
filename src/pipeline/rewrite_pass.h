// What every rewrite's pass over a model is given.
#pragma once

#include <cstdint>
#include <vector>

#include "model/rewriting.h"
#include "pipeline/rewrite.h"

namespace zp {

/// Borrows all.
struct RewritePass {
  const Model& model;
  const Cancellations& cancellations;
  const std::vector<std::vector<std::int32_t>>& windows;
  const std::vector<std::vector<const Grid*>>& grids;  ///< of each weight in each output
  Fit fit;
  std::uint64_t seed;
  const Team& team;
};

}  // namespace zp
