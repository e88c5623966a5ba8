// Runs a plan: weights stream through the grids into the files.
#pragma once

#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "pipeline/outcome.h"
#include "pipeline/plan.h"
#include "pipeline/too_small.h"

namespace zp {

struct TensorResult {
  std::string name;
  const Weight* weight = nullptr;
  std::string grid;
  std::int64_t bytes = 0;
  Energy energy;
  /// The error of what the linear makes of its inputs, see output_share(); nothing: they aren't
  /// known.
  std::optional<Energy> outputs;
  std::optional<HeldOut> held_out;  ///< where windows were held out of the calibration text
};

struct OutputResult {
  std::vector<TensorResult> tensors;
  Energy energy;                       ///< of all the model's weights
  std::optional<Energy> outputs;       ///< the sum of its tensors'
  std::optional<HeldOut> held_out;     ///< likewise
  Weighing weighing = Weighing::none;  ///< what `outputs` are weighed by
  Fidelity fidelity = Fidelity::quantized;
  std::vector<TooSmall> too_small;
  std::vector<std::string> notes;  ///< what the run found, for people
};

/// Wall time the threads spent, shared out by what they did; they add up to total.
struct RunSeconds {
  double read = 0;
  double calibrate = 0;
  double quantize = 0;
  double write = 0;
  double total = 0;
};

struct RunResult {
  std::vector<OutputResult> outputs;  ///< in the plan's order
  std::optional<TextLoss> text_loss;  ///< see LayerStatistics
  RunSeconds seconds;
  std::int64_t peak_memory_bytes = 0;  ///< our own, without the mapped input
};

/// All outputs appear together at the end, or none. Throws Error, with the place, for a weight that
/// is NaN, infinite, or beyond what its grid can hold.
RunResult run_plan(const Plan& plan, bool force, const Team& team, Progress& progress);

}  // namespace zp
