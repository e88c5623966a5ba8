#include "report/inspect_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/human.h"
#include "format/statistics.h"
#include "observer/expected_error.h"
#include "observer/observer.h"
#include "report/decimal.h"

namespace zp {
namespace {

constexpr std::array<std::string_view, 2> kGrids = {"int8:tensor:sym:s32", "int8:tensor:zero:s32"};

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
    for (const std::string_view spec : kGrids) {
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
  InspectedInput input{entry.layer, entry.role, entry.columns, entry.rows, {}, 0, {}};
  if (entry.columns == 0 || entry.rows == 0) return input;
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

Json range_json(Range r) { return {r.lo, r.hi}; }

std::string range_text(Range r) { return fmt::format("{:.4g} ... {:.4g}", r.lo, r.hi); }

std::string input_text(const InspectedInput& input) {
  std::string text = fmt::format("\n{}{}: {}, {}; {} of them reach {}\n",
                                 input.layer < 0 ? "" : fmt::format("layer {}, ", input.layer),
                                 printable(input.role), human_counted(input.columns, "column"),
                                 range_text(input.range), input.outlier_columns, kOutlier);
  if (input.observed.empty()) return text;
  text += fmt::format("{:18}", "");
  for (const std::string_view grid : kGrids) text += fmt::format("{:<44}", grid);
  text.erase(text.find_last_not_of(' ') + 1);
  for (std::size_t k = 0; k < input.observed.size(); ++k) {
    const ObservedRange& o = input.observed[k];
    text += k % kGrids.size() == 0 ? fmt::format("\n  {:<16}", o.observer) : "    ";
    text += fmt::format("{:<21} {:>9.3g} {:>5.1f} dB", range_text(o.range), o.mean_squared_error,
                        o.sqnr_db);
  }
  return text + '\n';
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

Json to_json(const StatisticsInspection& inspection) {
  Json inputs = Json::array();
  for (const InspectedInput& input : inspection.inputs) {
    Json all = Json::array();
    for (const ObservedRange& o : input.observed) {
      all.push_back({{"observer", o.observer},
                     {"grid", o.grid},
                     {"range", range_json(o.range)},
                     {"scale", o.params.scale},
                     {"zero_point", o.params.zero},
                     {"mean_squared_error", o.mean_squared_error},
                     {"sqnr_db", std::isfinite(o.sqnr_db) ? Json(o.sqnr_db) : Json()}});
    }
    inputs.push_back({{"layer", input.layer < 0 ? Json() : Json(input.layer)},
                      {"role", input.role},
                      {"columns", input.columns},
                      {"rows", input.rows},
                      {"range", range_json(input.range)},
                      {"outlier_columns", input.outlier_columns},
                      {"observers", std::move(all)}});
  }
  return {{"container", "statistics"},   {"model", fmt::format("{:016x}", inspection.model)},
          {"tokens", inspection.tokens}, {"context", inspection.context},
          {"bytes", inspection.bytes},   {"inputs", std::move(inputs)}};
}

std::string to_text(const StatisticsInspection& i) {
  std::string text = fmt::format(
      "container        statistics\nmodel            {:016x}\ntokens           {}, in windows of "
      "{}\nbytes            {}\n\n"
      "What each observer would cover of a linear's input with int8 for the whole tensor: the "
      "range, "
      "the\nmean squared error expected of it, the signal-to-noise ratio. From a magnitude of {} "
      "on "
      "LLM.int8 keeps\na column in 16 bits.\n",
      i.model, grouped(static_cast<double>(i.tokens)), i.context,
      grouped(static_cast<double>(i.bytes)), kOutlier);
  for (const InspectedInput& input : i.inputs) text += input_text(input);
  return text;
}

}  // namespace zp
