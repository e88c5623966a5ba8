#include "pipeline/inspect_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "format/statistics.h"
#include "observer/expected_error.h"
#include "observer/observer.h"

namespace zp {
namespace {

template <class T>
std::vector<T> values_of(Bytes bytes) {
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

Histogram histogram_of(const StatisticsEntry& entry, Range extremes) {
  std::vector<HistogramBin> bins;
  for (const std::uint64_t stored : values_of<std::uint64_t>(entry.bins)) {
    const StatisticsBin b = StatisticsBin::from(stored);
    bins.push_back({b.bin, b.count});
  }
  return {std::move(bins), extremes};
}

std::vector<ObservedRange> observe(const Observed& seen) {
  std::vector<ObservedRange> out;
  const std::vector<HistogramPiece> pieces = seen.histogram.pieces();
  const double signal = mean_square(pieces);
  for (const Observer* observer : observers()) {
    for (const std::string_view spec : kObservedGrids) {
      const AffineForm form = *make_grid(spec)->affine();
      ObservedRange& o = out.emplace_back();
      o.observer = observer->name;
      o.grid = spec;
      o.range = observer->range(seen, form, {});
      o.params = affine_params(form, o.range.lo, o.range.hi);
      o.mean_squared_error = expected_error(pieces, o.params);
      o.sqnr_db = 10 * std::log10(signal / o.mean_squared_error);
    }
  }
  return out;
}

InspectedInput look_at(const StatisticsEntry& entry) {
  InspectedInput input{
      entry.layer, entry.role, entry.columns, entry.rows, entry.expert, entry.tokens, {}, 0, {}};
  if (entry.expert >= 0 || entry.columns == 0 || entry.rows == 0) return input;
  const auto lowest = values_of<float>(entry.lowest);
  const auto highest = values_of<float>(entry.highest);
  input.range = {*std::ranges::min_element(lowest), *std::ranges::max_element(highest)};
  for (std::size_t j = 0; j < lowest.size(); ++j)
    input.outlier_columns += std::max(-lowest[j], highest[j]) >= kOutlier ? 1 : 0;
  std::vector<Range> windows;
  const auto ends = values_of<float>(entry.windows);
  for (std::size_t i = 0; i < ends.size(); i += 2) windows.push_back({ends[i], ends[i + 1]});
  input.observed = observe({histogram_of(entry, input.range), windows});
  return input;
}

}  // namespace

StatisticsInspection inspect_statistics(Bytes file, const std::string& where, const Team& team) {
  const StatisticsHead head = read_statistics(file, where);
  StatisticsInspection out{head.model, head.tokens, head.context, std::ssize(file), {}};
  out.inputs.resize(head.entries.size());
  team.run(std::ssize(head.entries), [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    out.inputs[at] = look_at(head.entries[at]);
  });
  return out;
}

}  // namespace zp
