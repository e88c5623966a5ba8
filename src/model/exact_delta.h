// For tests: one head of the gated delta rule in FP64, with bounds as exact_network.h has them.
//
// With F the faded state, the next one is F + beta k (v - F^T k)^T = (1 - beta k k^T) F + beta k v^T.
// Since beta |k|^2 <= 1 the first factor makes nothing longer, so what F is off stays as it is. What
// beta, k and v are off is taken one after the other, each with the others as large as they may be.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

namespace zp {

struct ExactNumber {
  double value = 0;
  double off = 0;
};

struct ExactVector {
  std::vector<double> values;
  double off = 0;

  double length() const {
    return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
  }
  double longest() const { return length() + off; }
};

/// x over the root of its squares' sum and 1e-6, times factor. The Jacobian is at most one over the
/// root, taken at the least it can be within the bound.
inline ExactVector exact_direction(std::span<const double> x, double off, double factor) {
  ExactVector out{{x.begin(), x.end()}, 0};
  const double root = std::sqrt(out.length() * out.length() + 1e-6);
  for (double& v : out.values) v *= factor / root;
  const auto n = static_cast<double>(x.size());
  out.off = root > off ? factor * off / (root - off) + (n + 8) * 0x1p-53 * factor : INFINITY;
  return out;
}

/// exp(-exp(rate) softplus(decay + bias)): no slope of softplus and of e^-x, x >= 0, is above 1.
inline ExactNumber exact_kept(double rate, double decay, double off, double bias) {
  const double x = decay + bias;
  const double step = std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
  const double speed = std::exp(rate);
  const double rounding = 8 * 0x1p-53 * (std::fabs(decay) + std::fabs(bias) + step);
  return {std::exp(-speed * step), speed * (off + rounding) + 16 * 0x1p-53};
}

/// One head's state through a sequence.
class ExactDelta {
 public:
  ExactDelta(std::size_t keys, std::size_t values)
      : keys_(keys), state_{std::vector<double>(keys * values), 0} {}

  /// What comes of the token, and its bound.
  double step(const ExactVector& query, const ExactVector& key, const ExactVector& value,
              ExactNumber kept, ExactNumber beta, std::span<double> out) {
    constexpr double kUnit = 0x1p-53;
    const std::size_t width = value.values.size();
    state_.off =
        (std::fabs(kept.value) + kept.off) * state_.off + state_.length() * (kept.off + kUnit);
    for (double& s : state_.values) s *= kept.value;
    const double n = static_cast<double>(keys_) + 1;
    const double f = state_.longest();
    const double k = key.longest();
    const double v = value.longest();
    const double b = std::fabs(beta.value) + beta.off;
    const double moved = v + k * f;
    state_.off += b * key.off * (k * f + moved) + beta.off * k * moved + b * k * value.off +
                  kUnit * b * k * (n * k * f + 3 * moved);
    for (std::size_t j = 0; j < width; ++j) {
      double read = 0;
      for (std::size_t i = 0; i < keys_; ++i) read += at(i, j, width) * key.values[i];
      const double by = (value.values[j] - read) * beta.value;
      out[j] = 0;
      for (std::size_t i = 0; i < keys_; ++i) {
        at(i, j, width) += key.values[i] * by;
        out[j] += at(i, j, width) * query.values[i];
      }
    }
    state_.off += kUnit * state_.length();
    return state_.off * query.longest() + state_.length() * query.off +
           n * kUnit * state_.length() * query.length();
  }

 private:
  double& at(std::size_t i, std::size_t j, std::size_t width) {
    return state_.values[i * width + j];
  }

  std::size_t keys_;
  ExactVector state_;
};

}  // namespace zp
