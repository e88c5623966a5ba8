// For tests: one head of a selective state space in FP64, with bounds as exact_network.h has them.
//
// The next state is l S + w (t x)^T, what is read of it S^T r + s x. What l, t, w, x and r are off is
// taken one after the other, each with the others as large as they may be.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "model/decoder.h"
#include "model/exact_delta.h"

namespace zp {

/// softplus(said + bias) within the limits, none of which has a slope above 1.
inline ExactNumber exact_step(double said, double off, double bias, const StateSpace& space) {
  const double x = said + bias;
  const double step = std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
  const double rounding = 8 * 0x1p-53 * (std::fabs(said) + std::fabs(bias) + step);
  return {std::clamp(step, space.least_step, space.most_step), off + rounding};
}

/// exp(-exp(rate) step); e^-x, x >= 0, has no slope above 1.
inline ExactNumber exact_left(double rate, ExactNumber step) {
  const double speed = std::exp(rate);
  return {std::exp(-speed * step.value),
          speed * (step.off + 8 * 0x1p-53 * step.value) + 16 * 0x1p-53};
}

/// One head's state through a sequence.
class ExactScan {
 public:
  ExactScan(std::size_t rows, std::size_t width)
      : rows_(rows), state_{std::vector<double>(rows * width), 0} {}

  /// What comes of the token, and its bound.
  double step(const ExactVector& input, const ExactVector& write, const ExactVector& read,
              ExactNumber step, ExactNumber left, double skip, std::span<double> out) {
    constexpr double kUnit = 0x1p-53;
    const std::size_t width = input.values.size();
    const double x = input.longest();
    const double w = write.longest();
    const double t = std::fabs(step.value) + step.off;
    state_.off = (std::fabs(left.value) + left.off) * state_.off +
                 state_.length() * (left.off + kUnit) + write.off * t * x + w * step.off * x +
                 w * t * input.off + 3 * kUnit * w * t * x;
    for (std::size_t j = 0; j < width; ++j) {
      out[j] = 0;
      for (std::size_t i = 0; i < rows_; ++i) {
        double& now = state_.values[i * width + j];
        now = now * left.value + write.values[i] * (step.value * input.values[j]);
        out[j] += now * read.values[i];
      }
      out[j] += skip * input.values[j];
    }
    state_.off += kUnit * state_.length();
    const double s = std::fabs(skip);
    const double n = static_cast<double>(rows_) + 2;
    return state_.off * read.longest() + state_.length() * read.off + s * input.off +
           n * kUnit * (state_.length() * read.length() + s * x);
  }

 private:
  std::size_t rows_;
  ExactVector state_;
};

}  // namespace zp
