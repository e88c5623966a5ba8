// What the published procedure has 128 of, the steps a magnitude may take below the threshold, is
// here what the grid has: 128 of int8:sym or restricted, 256 of values of one sign with a
// zero-point.
#include "observer/entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel/elementary.h"
#include "observer/observer.h"

namespace zp {
namespace {

double magnitude(Range r) {
  return std::max(std::fabs(static_cast<double>(r.lo)), std::fabs(static_cast<double>(r.hi)));
}

// Of n even shares up to the one that ends at x, 0 <= x <= 1, rounded.
std::uint64_t shares(double x, std::uint64_t n) {
  return std::min(n, static_cast<std::uint64_t>(std::floor(x * static_cast<double>(n) + 0.5)));
}

double times_log(double x) { return x > 0 ? x * portable_log(x) : 0; }

}  // namespace

std::vector<std::uint64_t> equal_bins(const Histogram& histogram) {
  const double width = magnitude(histogram.extremes()) / kMagnitudeBins;
  std::vector<std::uint64_t> out(kMagnitudeBins);
  for (const HistogramPiece& p : histogram.pieces()) {
    const double lo = std::min(std::fabs(p.lo), std::fabs(p.hi)) / width;
    const double hi = std::max(std::fabs(p.lo), std::fabs(p.hi)) / width;
    const auto first = std::min(kMagnitudeBins - 1, static_cast<std::size_t>(lo));
    const auto last = std::min(kMagnitudeBins - 1, static_cast<std::size_t>(hi));
    std::uint64_t given = 0;
    for (std::size_t b = first; b <= last; ++b) {
      const std::uint64_t upto =
          b == last ? p.count : shares((static_cast<double>(b + 1) - lo) / (hi - lo), p.count);
      out[b] += upto - given;
      given = upto;
    }
  }
  return out;
}

Divergence::Divergence(std::span<const std::uint64_t> counts)
    : counts_(counts.size() + 1), held_(counts.size() + 1), products_(counts.size() + 1) {
  for (std::size_t b = 0; b < counts.size(); ++b) {
    const auto n = static_cast<double>(counts[b]);
    counts_[b + 1] = counts_[b] + n;
    held_[b + 1] = held_[b] + (n > 0 ? 1 : 0);
    products_[b + 1] = products_[b] + times_log(n);
  }
}

// With N values, A of them in the first i bins, n_b of P and c_k of h_k bins in run k of Q:
// KL = 1/N (sum n_b log n_b - sum over k of P's n_k log(c_k / h_k)) - log N + log A.
double Divergence::of(std::size_t bins, std::size_t levels) const {
  const double all = counts_.back();
  const double inside = counts_[bins];
  const double beyond = all - inside;
  const double last = inside - counts_[bins - 1];
  if (beyond > 0 && !(last > 0)) return std::numeric_limits<double>::infinity();
  double sum = products_[bins - 1] + times_log(last + beyond);
  std::size_t begin = 0;
  for (std::size_t k = 0; k < levels; ++k) {
    const std::size_t end = ((k + 1) * bins + levels - 1) / levels;
    const double count = counts_[end] - counts_[begin];
    const double held = held_[end] - held_[begin];
    const double of_p = count + (k + 1 == levels ? beyond : 0);
    if (held > 0) sum -= of_p * portable_log(count / held);
    begin = end;
  }
  return sum / all - portable_log(all) + portable_log(inside);
}

namespace {

// How many values a magnitude may take on the grid.
std::size_t levels_of(const AffineForm& form, Range range) {
  const double scale = affine_params(form, range.lo, range.hi).scale;
  const double steps = scale > 0 ? std::round(magnitude(range) / scale) : 0;
  return 1 + static_cast<std::size_t>(std::min(steps, 0x1p20));
}

Range cut(Range r, double threshold) {
  const auto t = static_cast<float>(threshold);
  return {std::clamp(r.lo, -t, t), std::clamp(r.hi, -t, t)};
}

Range range(const Observed& seen, const AffineForm& form, const ObserverOptions&) {
  const Range extremes = seen.histogram.extremes();
  const double width = magnitude(extremes) / kMagnitudeBins;
  if (!(width > 0)) return extremes;
  const std::vector<std::uint64_t> counts = equal_bins(seen.histogram);
  const Divergence divergence(counts);
  double least = std::numeric_limits<double>::infinity();
  Range best = extremes;
  for (std::size_t i = 1; i <= kMagnitudeBins; ++i) {
    if (counts[i - 1] == 0) continue;  // infinite
    const Range candidate = cut(extremes, (static_cast<double>(i) + 0.5) * width);
    const std::size_t levels = levels_of(form, candidate);
    if (levels > i) continue;
    const double found = divergence.of(i, levels);
    if (!(found < least)) continue;
    least = found;
    best = candidate;
  }
  return best;
}

}  // namespace

extern const Observer observer_entropy;
const Observer observer_entropy{
    "entropy", "the least Kullback-Leibler divergence of magnitudes (TensorRT's, 2017)", false,
    range};

}  // namespace zp
