#include "observer/histogram.h"

#include <algorithm>
#include <bit>

namespace zp {
namespace {

constexpr std::uint32_t kSign = 0x8000;
constexpr std::size_t kSorted = 4096;  // values up to which sorting beats counting

std::uint32_t upper_half(float value) noexcept { return std::bit_cast<std::uint32_t>(value) >> 16; }

std::uint16_t bin_of(std::uint32_t upper) noexcept {
  return static_cast<std::uint16_t>((upper & kSign) == 0 ? kSign + upper : ~upper & 0x7fff);
}

Range united(Range a, Range b) noexcept { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

}  // namespace

std::uint16_t histogram_bin(float value) noexcept { return bin_of(upper_half(value)); }

Range bin_range(std::uint16_t bin) noexcept {
  const bool positive = bin >= kSign;
  const std::uint32_t upper = positive ? bin - kSign : 0x7fffU - bin;
  const auto inner = std::bit_cast<float>(upper << 16);
  const auto outer = std::bit_cast<float>((upper + 1) << 16);
  return positive ? Range{inner, outer} : Range{-outer, -inner};
}

Histogram::Histogram(Floats values) {
  if (values.empty()) return;
  if (values.size() > kSorted) {
    HistogramCounter counter;
    counter.add(values);
    *this = counter.histogram();
    return;
  }
  count_ = values.size();
  extremes_ = min_max(values);
  std::vector<std::uint16_t> all(values.size());
  std::ranges::transform(values, all.begin(), histogram_bin);
  std::ranges::sort(all);
  for (const std::uint16_t bin : all) {
    if (bins_.empty() || bins_.back().bin != bin) bins_.push_back({bin, 0});
    ++bins_.back().count;
  }
}

Histogram::Histogram(std::vector<HistogramBin> bins, Range extremes)
    : bins_(std::move(bins)), extremes_(extremes) {
  for (const HistogramBin& b : bins_) count_ += b.count;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  extremes_ = count_ == 0 ? other.extremes_ : united(extremes_, other.extremes_);
  count_ += other.count_;
  std::vector<HistogramBin> both;
  std::ranges::merge(bins_, other.bins_, std::back_inserter(both), {}, &HistogramBin::bin,
                     &HistogramBin::bin);
  bins_.clear();
  for (const HistogramBin& b : both) {
    if (!bins_.empty() && bins_.back().bin == b.bin) {
      bins_.back().count += b.count;
    } else {
      bins_.push_back(b);
    }
  }
}

std::vector<HistogramPiece> Histogram::pieces() const {
  std::vector<HistogramPiece> out;
  const double lo = extremes_.lo;
  const double hi = extremes_.hi;
  for (const HistogramBin& b : bins_) {
    const Range range = bin_range(b.bin);
    out.push_back({std::max<double>(range.lo, lo), std::min<double>(range.hi, hi), b.count});
  }
  return out;
}

bool Histogram::operator==(const Histogram& other) const {
  return bins_ == other.bins_ && extremes_.lo == other.extremes_.lo &&
         extremes_.hi == other.extremes_.hi;
}

void HistogramCounter::add(Floats values) noexcept {
  if (values.empty()) return;
  const Range range = min_max(values);
  extremes_ = empty_ ? range : united(extremes_, range);
  empty_ = false;
  for (const float value : values) ++counts_[upper_half(value)];
}

Histogram HistogramCounter::histogram() const {
  std::vector<HistogramBin> bins;
  for (std::uint32_t upper = 2 * kSign; upper-- > kSign;) {
    if (counts_[upper] > 0) bins.push_back({bin_of(upper), counts_[upper]});
  }
  for (std::uint32_t upper = 0; upper < kSign; ++upper) {
    if (counts_[upper] > 0) bins.push_back({bin_of(upper), counts_[upper]});
  }
  return {std::move(bins), extremes_};
}

}  // namespace zp
