// AdamW (Loshchilov and Hutter, 2019) without weight decay, for what is trained by groups of numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"

namespace zp {

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-12;
};

/// The state of some numbers. Each is its own: the same bits whatever they are grouped with.
class Adam {
 public:
  explicit Adam(std::size_t count) : first_(count), second_(count) {}
  /// The `step`th change, from 1 on. rate: how far a number goes whose gradient never changes.
  void update(std::span<float> values, Floats gradient, double rate, std::int64_t step,
              const AdamOptions& options = {}) noexcept;

 private:
  std::vector<float> first_;
  std::vector<float> second_;
};

/// Up in a line over the first tenth of the steps, then down to 0 as a cosine. step: from 1 on.
double rate_of_step(double rate, std::int64_t step, std::int64_t steps);

}  // namespace zp
