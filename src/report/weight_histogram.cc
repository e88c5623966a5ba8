#include "report/weight_histogram.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "kernel/range.h"

namespace zp {
namespace {

constexpr std::int64_t kSampled = 1 << 18;  // weights
constexpr int kBins = 64;
constexpr int kSweep = 4096;         // values offered to a group
constexpr std::size_t kShown = 300;  // values of a group that can still be told apart
constexpr double kWithin = 0.998;    // share of the weights that the bins cover at least

// Some rows, all of them where they are few.
struct Sample {
  std::vector<float> weights;  // row after row
  std::vector<std::int64_t> rows;
  std::int64_t cols = 0;

  Floats row(std::size_t i) const {
    return Floats(weights).subspan(i * static_cast<std::size_t>(cols),
                                   static_cast<std::size_t>(cols));
  }
};

Sample sample(const RowReader& rows) {
  const std::int64_t wanted = std::clamp(kSampled / rows.cols(), std::int64_t{1}, rows.rows());
  Sample s{{}, {}, rows.cols()};
  s.weights.resize(static_cast<std::size_t>(wanted * rows.cols()));
  for (std::int64_t i = 0; i < wanted; ++i) {
    s.rows.push_back(i * rows.rows() / wanted);
    rows.read(s.rows.back(), 1, s.weights.data() + i * rows.cols());
  }
  return s;
}

// A block of the sample and the unit in it that is looked at.
struct Group {
  std::size_t sampled = 0;  // row of the sample
  std::int64_t block = 0;   // where the block begins
  std::int64_t unit = 0;    // and the unit inside it
};

// The group whose range is the median of all.
Group median_group(const Sample& sample, GridShape shape) {
  struct Ranged {
    float range;
    Group group;
  };
  std::vector<Ranged> all;
  for (std::size_t r = 0; r < sample.rows.size(); ++r) {
    for (std::int64_t b = 0; b < sample.cols; b += shape.block) {
      const std::int64_t end = std::min(sample.cols, b + shape.block);
      for (std::int64_t u = b; u < end; u += shape.unit) {
        const Range range = min_max(sample.row(r).subspan(
            static_cast<std::size_t>(u), static_cast<std::size_t>(std::min(shape.unit, end - u))));
        all.push_back({range.hi - range.lo, {r, b, u - b}});
      }
    }
  }
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end(), [](const Ranged& a, const Ranged& b) {
    if (a.range != b.range) return a.range < b.range;
    if (a.group.sampled != b.group.sampled) return a.group.sampled < b.group.sampled;
    return a.group.block + a.group.unit < b.group.block + b.group.unit;
  });
  return middle->group;
}

// What the group's parameters make of many values, from well below its weights to well above.
std::vector<float> values_of(const Sample& sample, const Grid& grid, Fit fit, const Group& group,
                             GridShape shape) {
  const Floats row = sample.row(group.sampled);
  const auto part = [&](std::int64_t begin, std::int64_t count) {
    return Matrix(row.data() + begin, 1, count);
  };
  const std::int64_t in_block = std::min(shape.block, sample.cols - group.block);
  const std::int64_t in_unit = std::min(shape.unit, in_block - group.unit);
  const Matrix unit = part(group.block + group.unit, in_unit);
  std::vector<std::byte> params(static_cast<std::size_t>(grid.params_bytes(sample.cols)));
  grid.open_block(params.data(), part(group.block, in_block), {}, fit);
  grid.open_unit(params.data(), group.unit / shape.unit, unit, {}, fit);

  const Range range = min_max(unit.row(0));
  const double reach = 2.0 * std::max(std::fabs(range.lo), std::fabs(range.hi));
  const std::int64_t step = std::min(shape.step, in_unit);
  std::vector<float> offered(static_cast<std::size_t>(step));
  std::vector<float> decoded(static_cast<std::size_t>(step));
  std::vector<Code> codes(static_cast<std::size_t>(step));
  std::vector<float> values;
  for (int i = 0; i <= kSweep; ++i) {
    std::ranges::fill(offered, static_cast<float>(reach * (2.0 * i / kSweep - 1)));
    grid.encode(params.data(), group.unit, {offered.data(), 1, step}, {codes.data(), 1, step},
                {decoded.data(), 1, step});
    values.insert(values.end(), decoded.begin(), decoded.end());
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values.size() > kShown ? std::vector<float>() : values;
}

// The bins reach as far as kWithin of the weights, and as the values.
double reach_of(const Sample& sample, const std::vector<float>& values) {
  std::vector<float> sizes;
  for (const float w : sample.weights) sizes.push_back(std::fabs(w));
  const auto place = static_cast<std::ptrdiff_t>(kWithin * static_cast<double>(sizes.size() - 1));
  std::nth_element(sizes.begin(), sizes.begin() + place, sizes.end());
  float reach = sizes[static_cast<std::size_t>(place)];
  if (!values.empty())
    reach = std::max({reach, std::fabs(values.front()), std::fabs(values.back())});
  return 1.05 * static_cast<double>(reach);
}

void fill_bins(const Sample& sample, WeightHistogram& h) {
  h.bins.assign(kBins, 0);
  for (const float w : sample.weights) {
    const double place = (static_cast<double>(w) - h.lo) / (h.hi - h.lo) * kBins;
    if (place >= 0 && place < kBins) {
      ++h.bins[static_cast<std::size_t>(place)];
    } else {
      ++h.beyond;
    }
  }
}

}  // namespace

WeightHistogram weight_histogram(const RowReader& rows, const Grid& grid, Fit fit) {
  WeightHistogram h;
  h.grid = grid.spec();
  h.weights = rows.rows() * rows.cols();
  const Sample sampled = sample(rows);
  h.counted = static_cast<std::int64_t>(sampled.weights.size());
  double squares = 0;
  for (const float w : sampled.weights) {
    const double weight = std::fabs(static_cast<double>(w));
    squares += weight * weight;
    h.largest = std::max(h.largest, weight);
  }
  h.deviation = std::sqrt(squares / static_cast<double>(h.counted));
  // With one scale for the whole tensor all of it would have to be read.
  if (!grid.whole_tensor()) {
    const GridShape shape = grid.shape(rows.cols());
    const Group group = median_group(sampled, shape);
    h.values = values_of(sampled, grid, fit, group, shape);
    h.row = sampled.rows[group.sampled];
    h.column = group.block + group.unit;
  }
  const double reach = reach_of(sampled, h.values);
  if (!(reach > 0)) return h;  // nothing but zeros: no bins
  h.lo = -reach;
  h.hi = reach;
  fill_bins(sampled, h);
  return h;
}

}  // namespace zp
