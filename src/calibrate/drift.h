// How far what linears read has come away from what they read in the float model.
#pragma once

#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "calibrate/moments.h"

namespace zp {

/// Second moments of the rows that came, and their products with expected - came, summed over rows:
/// columns x columns.
struct Drift {
  explicit Drift(std::int64_t columns)
      : moments(columns, true), sums(static_cast<std::size_t>(columns * columns)) {}

  void add(Matrix came, Matrix expected, const Team& team);
  static std::int64_t bytes(std::int64_t columns) {
    return Moments::bytes(columns, true) +
           columns * columns * static_cast<std::int64_t>(sizeof(float));
  }

  Moments moments;
  std::vector<float> sums;
};

}  // namespace zp
