// TensorRT's entropy calibration, as published: Szymon Migacz, "8-bit Inference with TensorRT",
// GTC 2017.
//
// The magnitudes stand in 2048 bins of equal width, from 0 to the largest. For i up to all bins:
//
//   P = the first i bins, what lies beyond added to the last of them
//   Q = the first i bins without it, in `levels` runs; each run's count spread evenly over those of
//       its bins that hold something
//   divergence(i) = KL(P || Q), both normalised
//
// and the threshold is i + 1/2 bins for the i of the least divergence. Here: i runs to 2048 (theirs
// to 2047), where nothing is cut; bin b is in run floor(b levels / i), which is theirs where
// `levels` divides i; a P that has something where Q has nothing (the divergence is infinite)
// never wins; of equal divergences the first does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "observer/histogram.h"

namespace zp {

inline constexpr std::size_t kMagnitudeBins = 2048;

/// Magnitudes in equal bins up to the largest, which is above 0. Where a bin of the histogram lies
/// over several, its count is shared out in whole numbers, evenly.
std::vector<std::uint64_t> equal_bins(const Histogram& histogram);

/// Divergences, on counts of any number of bins.
class Divergence {
 public:
  explicit Divergence(std::span<const std::uint64_t> counts);
  /// In nats, of the first `bins` in `levels` runs, 1 <= levels <= bins; infinite where Q is 0 and
  /// P isn't.
  double of(std::size_t bins, std::size_t levels) const;

 private:
  // Of all bins before each: counts, how many hold something, counts by their logarithms.
  std::vector<double> counts_;
  std::vector<double> held_;
  std::vector<double> products_;
};

}  // namespace zp
