#include "tune/adamw.h"

#include <algorithm>
#include <cmath>

#include "kernel/elementary.h"

namespace zp {

void Adam::update(std::span<float> values, Floats gradient, double rate, std::int64_t step,
                  const AdamOptions& options) noexcept {
  const auto left = [&](double beta) {
    double power = 1;
    for (std::int64_t i = 0; i < step && power > 0x1p-60; ++i) power *= beta;
    return 1 - power;
  };
  const auto by = static_cast<float>(rate / left(options.beta1));
  const auto squares = static_cast<float>(1 / left(options.beta2));
  const auto b1 = static_cast<float>(options.beta1);
  const auto b2 = static_cast<float>(options.beta2);
  const auto epsilon = static_cast<float>(options.epsilon);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float g = gradient[i];
    first_[i] = b1 * first_[i] + (1 - b1) * g;
    second_[i] = b2 * second_[i] + (1 - b2) * (g * g);
    values[i] -= by * first_[i] / (std::sqrt(second_[i] * squares) + epsilon);
  }
}

double rate_of_step(double rate, std::int64_t step, std::int64_t steps) {
  const auto at = static_cast<double>(step);
  const double rising = std::max(1.0, std::floor(static_cast<double>(steps) / 10));
  if (at <= rising) return rate * at / rising;
  constexpr double kPi = 3.14159265358979324;
  const double way = (at - rising) / (static_cast<double>(steps) + 1 - rising);
  return rate * 0.5 * (1 + portable_sin_cos(kPi * way).cos);
}

}  // namespace zp
