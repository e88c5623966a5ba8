// Outputs trained to answer as the model they were made from, and written again in their place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calibrate/windows.h"
#include "pipeline/output_result.h"
#include "pipeline/plan.h"
#include "tune/distill.h"

namespace zp {

/// "scales|all[:OPTION=VALUE,...]". Throws UsageError.
DistillOptions parse_distill(std::string_view text);
/// The same in words that people type, in full.
std::string distill_text(const DistillOptions& options);
/// The options that may stand there, for people.
std::string distill_choices();

/// What became of one output.
struct DistilledOutput {
  std::vector<DistillLook> looks;
  std::size_t best = 0;      ///< 0: it stays as it was
  std::int64_t trained = 0;  ///< matrices
  std::int64_t left = 0;     ///< matrices of less than a float type that aren't trained
  double seconds = 0;

  double before() const { return looks.front().held_out; }
  double after() const { return looks[best].held_out; }
};

/// What training an output takes beside the mapped files, at most.
std::int64_t distill_bytes(const Plan& plan, const DistillOptions& options, const Windows& windows,
                           int threads);

/// Reads each written output of the plan, trains it and writes what comes of it in its place, where that is
/// nearer to the source on the windows held out. recipe: what the plan was made of. results: what coding came
/// to, one for each output; the weights' errors become those of what is written, of the outputs' errors nothing
/// is known then.
std::vector<DistilledOutput> distill_outputs(const Plan& plan, const LoadedModel& source,
                                             const Recipe& recipe, const DistillOptions& options,
                                             Windows windows, std::vector<OutputResult>& results,
                                             const Team& team, Progress& progress);

}  // namespace zp
