// How many values fell into each of bins that are fixed for all time.
//
// A value's bin is the upper half of its FP32: sign, exponent and seven bits of the mantissa, so
// that a bin is between 0.4 and 0.8 % of its values wide (below 2^-126, 2^-133). Bins are numbered
// in the order of their values:
//
//   u = upper 16 bits      bin = 0x8000 + u of positive values, 0x7fff - (u & 0x7fff) of negative
//
// Counts are whole, so it does not matter in which order values come, nor which histogram they
// come to before they are merged. The smallest and the largest value are exact.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "kernel/range.h"

namespace zp {

struct HistogramBin {
  std::uint16_t bin;
  std::uint64_t count;

  bool operator==(const HistogramBin&) const = default;
};

std::uint16_t histogram_bin(float value) noexcept;
/// The smallest and the largest value that a bin may hold, the one farther from 0 excluded.
Range bin_range(std::uint16_t bin) noexcept;

/// Values that are known to lie in [lo, hi].
struct HistogramPiece {
  double lo;
  double hi;
  std::uint64_t count;
};

class Histogram {
 public:
  Histogram() = default;
  /// Of finite values.
  explicit Histogram(Floats values);
  /// bins: ascending, none empty; extremes: those of what they hold.
  Histogram(std::vector<HistogramBin> bins, Range extremes);

  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  /// 0 and 0 of nothing.
  Range extremes() const { return extremes_; }
  /// Ascending, none empty.
  std::span<const HistogramBin> bins() const { return bins_; }
  /// The same with what the extremes say of the outermost bins.
  std::vector<HistogramPiece> pieces() const;

  bool operator==(const Histogram& other) const;

 private:
  std::vector<HistogramBin> bins_;
  std::uint64_t count_ = 0;
  Range extremes_;
};

/// Counts many values fast; half a megabyte.
class HistogramCounter {
 public:
  HistogramCounter() : counts_(std::size_t{1} << 16) {}

  /// Finite values.
  void add(Floats values) noexcept;
  Histogram histogram() const;

 private:
  std::vector<std::uint64_t> counts_;  // by the upper half of the FP32
  Range extremes_;
  bool empty_ = true;
};

}  // namespace zp
