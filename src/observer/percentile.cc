// Both tails cut: from the (100 - p)th to the pth percentile. At p of n values in order stands the
// one with number p / 100 (n - 1), counted from 0, interpolated between neighbours (NumPy's
// percentile); values are taken as spread evenly over their bin, so it is right to within a bin.
#include <algorithm>
#include <cmath>

#include "observer/observer.h"

namespace zp {
namespace {

// The value with a number, of those in order.
double ordered(std::span<const HistogramPiece> pieces, std::uint64_t number) {
  for (const HistogramPiece& p : pieces) {
    if (number < p.count) {
      const double at = (static_cast<double>(number) + 0.5) / static_cast<double>(p.count);
      return p.lo + at * (p.hi - p.lo);
    }
    number -= p.count;
  }
  return pieces.back().hi;
}

double quantile(std::span<const HistogramPiece> pieces, std::uint64_t count, double share) {
  const double at = share * static_cast<double>(count - 1);
  const double below = std::floor(at);
  const double a = ordered(pieces, static_cast<std::uint64_t>(below));
  const double b = ordered(pieces, static_cast<std::uint64_t>(std::ceil(at)));
  return a + (at - below) * (b - a);
}

Range range(const Observed& seen, const AffineForm&, const ObserverOptions& options) {
  const double share = options.percentile / 100;
  const Range extremes = seen.histogram.extremes();
  if (share >= 1) return extremes;
  const std::vector<HistogramPiece> pieces = seen.histogram.pieces();
  const std::uint64_t count = seen.histogram.count();
  return {static_cast<float>(quantile(pieces, count, 1 - share)),
          static_cast<float>(quantile(pieces, count, share))};
}

}  // namespace

extern const Observer observer_percentile;
const Observer observer_percentile{
    "percentile", "both tails cut: from the 0.01th to the 99.99th percentile, or another", false,
    range};

}  // namespace zp
