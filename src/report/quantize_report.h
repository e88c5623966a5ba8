// What a run of quantize did, as one page to look at: HTML with everything in it (no network, no
// scripts), light and dark, for wide screens and narrow ones. The same report gives the same bytes.
//
// Errors are those of the outputs where they are known (each linear's own inputs weigh them), else
// of the weights. One colour scale serves all outputs of a page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "judge/judge.h"
#include "kernel/energy.h"
#include "kernel/held_out.h"
#include "report/reported_budget.h"
#include "report/weight_histogram.h"

namespace zp {

struct ReportedTensor {
  std::string name;         ///< in the output
  std::string role;         ///< empty: made by the container
  std::int64_t layer = -1;  ///< -1: outside the layers
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::string grid;
  std::int64_t bytes = 0;
  Energy energy;  ///< of the weights
  /// Of what the linear makes of its inputs: signal is the number of weights, error that by the
  /// outputs' relative squared error. Nothing: the inputs aren't known.
  std::optional<Energy> outputs;
  std::optional<HeldOut> held_out;  ///< the same on the text and on what was held out of it
  /// What keeps it at the container's next grid of more bits, in the caller's words; empty:
  /// nothing.
  std::string finer_option;
};

struct ReportedOutput {
  std::string path;
  std::string container;
  std::string grid;
  std::int64_t bytes = 0;
  double bits_per_weight = 0;
  Energy energy;                    ///< of the weights
  std::optional<Energy> outputs;    ///< the sum of its tensors'
  bool from_moments = false;        ///< from second moments; else from mean squares alone
  std::optional<HeldOut> held_out;  ///< the sum of its tensors'
  std::vector<ReportedTensor> tensors;
  std::vector<WeightHistogram> histograms;
  std::vector<std::string> notes;
  std::optional<Judgement> judgement;
  std::optional<ReportedBudget> budget;
};

/// The error the page speaks of.
inline const Energy& shown_error(const ReportedTensor& t) {
  return t.outputs ? *t.outputs : t.energy;
}
inline const Energy& shown_error(const ReportedOutput& o) {
  return o.outputs ? *o.outputs : o.energy;
}

struct QuantizeReport {
  std::string title;
  std::string source;  ///< path as given
  std::string architecture;
  std::string method;
  std::string text;              ///< what was judged on, as given; empty: nothing
  std::string calibration;       ///< texts or a file of statistics; empty: none
  std::string calibration_kind;  ///< how the model finds the text; empty: not known
  std::string few_tokens;        ///< experts that it hardly reaches; empty: none
  std::string version;
  std::string command;  ///< as typed; empty: unknown
  std::string date;     ///< "2026-11-29 16:00 UTC"; empty: unknown
  double seconds = 0;   ///< all of the run; 0: unknown
  std::int64_t parameters = 0;
  std::int64_t source_bytes = 0;  ///< of the weight files
  double source_bits_per_weight = 0;
  std::vector<std::string> notes;  ///< of the source
  std::vector<ReportedOutput> outputs;
};

std::string to_html(const QuantizeReport& report);

}  // namespace zp
