#include <fmt/core.h>

#include <cmath>

#include "base/error.h"
#include "base/human.h"
#include "base/json.h"
#include "report/decimal.h"
#include "report/inspect_text.h"

namespace zp {
namespace {

Json range_json(Range r) { return {r.lo, r.hi}; }

std::string range_text(Range r) { return fmt::format("{:.4g} ... {:.4g}", r.lo, r.hi); }

std::string expert_text(const InspectedInput& input) {
  return fmt::format("\nlayer {}, {} of expert {}: {}, {} of the text's, {} summed\n", input.layer,
                     printable(input.role), input.expert, human_counted(input.columns, "column"),
                     human_counted(input.tokens, "token"), input.rows);
}

std::string input_text(const InspectedInput& input) {
  if (input.expert >= 0) return expert_text(input);
  std::string text = fmt::format("\n{}{}: {}, {}; {} of them reach {}\n",
                                 input.layer < 0 ? "" : fmt::format("layer {}, ", input.layer),
                                 printable(input.role), human_counted(input.columns, "column"),
                                 range_text(input.range), input.outlier_columns, kOutlier);
  if (input.observed.empty()) return text;
  text += fmt::format("{:18}", "");
  for (const std::string_view grid : kObservedGrids) text += fmt::format("{:<44}", grid);
  text.erase(text.find_last_not_of(' ') + 1);
  for (std::size_t k = 0; k < input.observed.size(); ++k) {
    const ObservedRange& o = input.observed[k];
    text += k % kObservedGrids.size() == 0 ? fmt::format("\n  {:<16}", o.observer) : "    ";
    text += fmt::format("{:<21} {:>9.3g} {:>5.1f} dB", range_text(o.range), o.mean_squared_error,
                        o.sqnr_db);
  }
  return text + '\n';
}

}  // namespace

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
    Json of_input = {{"layer", input.layer < 0 ? Json() : Json(input.layer)},
                     {"role", input.role},
                     {"columns", input.columns},
                     {"rows", input.rows}};
    if (input.expert >= 0) {
      of_input.update(Json{{"expert", input.expert}, {"tokens", input.tokens}});
    } else {
      of_input.update(Json{{"range", range_json(input.range)},
                           {"outlier_columns", input.outlier_columns},
                           {"observers", std::move(all)}});
    }
    inputs.push_back(std::move(of_input));
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
