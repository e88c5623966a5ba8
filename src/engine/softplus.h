// What steps and rates of forgetting are made of, in FP64 and the same on every machine.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernel/elementary.h"

namespace zp {

/// NaN stays one; beyond what has a normal result it is the nearest one that has.
inline double bounded_exp(double x) {
  constexpr double kMostExponent = 700;
  if (std::isnan(x)) return x;
  return portable_exp(std::clamp(x, -kMostExponent, kMostExponent));
}

inline double softplus(double x) {
  const double beyond = bounded_exp(-std::fabs(x));
  return std::max(x, 0.0) + (std::isnan(beyond) ? beyond : portable_log(1 + beyond));
}

}  // namespace zp
