// Inputs of one group of linears, of some tokens of the calibration text and of as many that were
// held out of it: what coding leaves of the outputs' error on the two tells how far it holds.
#pragma once

#include <cstdint>
#include <vector>

#include "calibrate/layer_statistics.h"

namespace zp {

class InputSamples {
 public:
  /// Of a window's tokens one in so many.
  static constexpr std::int64_t kEvery = 4;

  /// What the linears read in the float model and in the one being quantized; the same matrix where
  /// there is one model alone. Both: one row a token.
  void add(Matrix expected, Matrix came, bool held_out);
  SampledInputs view() const;

  /// Memory for so many tokens of a text, and as many held out.
  static std::int64_t bytes(std::int64_t columns, std::int64_t tokens);

 private:
  struct Rows {
    std::vector<float> expected;
    std::vector<float> came;  // empty: the same
  };
  std::int64_t columns_ = 0;
  Rows seen_;
  Rows held_out_;
};

}  // namespace zp
