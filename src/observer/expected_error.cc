#include "observer/expected_error.h"

#include <algorithm>
#include <cmath>

namespace zp {
namespace {

// The mean of x^2 over [a, b].
double mean_of_squares(double a, double b) { return (a * a + a * b + b * b) / 3; }

template <class Mean>
double mean_over(std::span<const HistogramPiece> pieces, const Mean& mean) {
  double sum = 0;
  double count = 0;
  for (const HistogramPiece& p : pieces) {
    const auto n = static_cast<double>(p.count);
    sum += n * mean(p);
    count += n;
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace

double expected_error(std::span<const HistogramPiece> pieces, const AffineParams& grid) {
  const double s = grid.scale;
  const double m = grid.offset;
  const double lowest = grid.lowest - grid.zero;
  const double highest = grid.highest - grid.zero;
  return mean_over(pieces, [&](const HistogramPiece& p) {
    const double a = p.lo - m;
    const double b = p.hi - m;
    if (!(s > 0)) return mean_of_squares(a, b);
    const double ka = std::round(std::clamp(a / s, lowest, highest));
    const double kb = std::round(std::clamp(b / s, lowest, highest));
    const double ua = a - s * ka;
    const double ub = b - s * kb;
    if (ka == kb) return mean_of_squares(ua, ub);
    // A whole step between two middles holds s^3 / 12.
    return ((kb - ka) * s * s * s / 12 + (ub * ub * ub - ua * ua * ua) / 3) / (b - a);
  });
}

double mean_square(std::span<const HistogramPiece> pieces) {
  return mean_over(pieces, [](const HistogramPiece& p) { return mean_of_squares(p.lo, p.hi); });
}

}  // namespace zp
