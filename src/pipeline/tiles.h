// What a run does at a time: some rows of one tensor of one output.
#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/plan.h"

namespace zp {

struct Tile {
  std::size_t output;
  std::size_t job;
  std::int64_t begin;
  std::int64_t rows;
};

/// Tiles of all outputs, so ordered that outputs read the same weights at about the same time.
std::vector<Tile> make_tiles(const Plan& plan);

inline const TensorJob& job_of(const Plan& plan, const Tile& tile) {
  return plan.outputs[tile.output].layout.jobs[tile.job];
}

/// rows x columns as the grid sees them: with one parameter set for the whole tensor it is one row.
Matrix as_matrix(const Tile& tile, const TensorJob& job, const std::vector<float>& values);

}  // namespace zp
