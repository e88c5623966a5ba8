#include "calibrate/input_ranges.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace zp {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

void lower(std::span<float> a, Floats b) {
  for (std::size_t j = 0; j < a.size(); ++j) a[j] = b[j] < a[j] ? b[j] : a[j];
}

void raise(std::span<float> a, Floats b) {
  for (std::size_t j = 0; j < a.size(); ++j) a[j] = b[j] > a[j] ? b[j] : a[j];
}

}  // namespace

InputRanges::Part::Part(std::int64_t columns)
    : lowest(static_cast<std::size_t>(columns), kInfinity),
      highest(static_cast<std::size_t>(columns), -kInfinity) {}

void InputRanges::Part::add(Floats row) {
  lower(lowest, row);
  raise(highest, row);
  counter.add(row);
}

InputRanges::InputRanges(std::int64_t columns, std::int64_t window)
    : columns_(columns),
      window_(window),
      lowest_(static_cast<std::size_t>(columns), kInfinity),
      highest_(static_cast<std::size_t>(columns), -kInfinity) {}

void InputRanges::add(Matrix x, const std::string& where, const Team& team) {
  const auto count = std::min<std::int64_t>(team.threads(), x.rows);
  while (std::ssize(parts_) < count) parts_.emplace_back(columns_);
  std::vector<Range> rows(static_cast<std::size_t>(x.rows));
  team.run(count, [&](std::int64_t i) {
    for (std::int64_t r = x.rows * i / count; r < x.rows * (i + 1) / count; ++r) {
      const Floats row = x.row(r);
      const std::int64_t bad = first_beyond(row, kLargest);
      if (bad >= 0) {
        throw Error(
            where + ", token " + std::to_string(rows_ + r) + ", column " + std::to_string(bad),
            "the model's activations are not finite", {},
            std::to_string(row[static_cast<std::size_t>(bad)]));
      }
      rows[static_cast<std::size_t>(r)] = min_max(row);
      parts_[static_cast<std::size_t>(i)].add(row);
    }
  });
  for (const Range& row : rows) {
    if (rows_++ % window_ == 0) windows_.push_back(row);
    windows_.back() = {std::min(windows_.back().lo, row.lo), std::max(windows_.back().hi, row.hi)};
  }
  for (const Part& part : parts_) {
    lower(lowest_, part.lowest);
    raise(highest_, part.highest);
  }
  // Of both zeros the positive: which of them came first depends on the threads.
  for (std::size_t j = 0; j < lowest_.size(); ++j) {
    lowest_[j] += 0.0f;
    highest_[j] += 0.0f;
  }
}

Histogram InputRanges::histogram() const {
  Histogram out;
  for (const Part& part : parts_) out.merge(part.counter.histogram());
  return out;
}

std::int64_t InputRanges::bytes(std::int64_t columns, int threads) {
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  constexpr std::int64_t kCounter = (1 << 16) * static_cast<std::int64_t>(sizeof(std::uint64_t));
  return 2 * columns * kFloat + threads * (kCounter + 2 * columns * kFloat);
}

}  // namespace zp
