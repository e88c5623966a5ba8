// Weights that are too small for the types in which their grid stores scales, minima or values:
// FP16 ends at 2^-24, NVFP4's scales at 2^-9. They become zeros or lose most of their digits, and
// the SQNR of a whole file doesn't show it, for they have hardly any energy.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "pipeline/outcome.h"
#include "pipeline/plan.h"

namespace zp {

/// Whether the grid would leave less than half of the squared error if the weights were larger by a
/// power of two: then the stored types are what loses them. Of four rows, spread evenly; what is
/// below FP16's own rounding doesn't count.
bool lose_digits(const Grid& grid, Fit fit, const RowReader& rows);

/// A tensor that lost weights so.
struct TooSmall {
  std::string name;
  const Weight* weight = nullptr;
  std::string grid;
  Zeroed blocks;
};

/// Those of an output. counted: of each job.
std::vector<TooSmall> too_small(const PlannedOutput& output, std::span<const Zeroed> counted,
                                Fit fit, const Team& team);

/// One line for people: names, counts, and what helps there; empty when there are none.
std::string to_text(std::span<const TooSmall> tensors, const Container& container);

}  // namespace zp
