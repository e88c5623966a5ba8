// Runs a plan: weights stream through the grids into the files.
#pragma once

#include <optional>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "pipeline/output_result.h"
#include "pipeline/plan.h"

namespace zp {

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
  std::vector<FewTokens> few_tokens;  ///< likewise
  RunSeconds seconds;
  std::int64_t peak_memory_bytes = 0;  ///< our own, without the mapped input
};

/// All outputs appear together at the end, or none. Throws Error, with the place, for a weight that
/// is NaN, infinite, or beyond what its grid can hold.
RunResult run_plan(const Plan& plan, bool force, const Team& team, Progress& progress);

}  // namespace zp
