// Outputs whose layers are trained to give what those of the model give that they were made from, and written again
// in their place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calibrate/windows.h"
#include "pipeline/output_result.h"
#include "pipeline/plan.h"
#include "tune/refine.h"

namespace zp {

/// "blocks[:OPTION=VALUE,...]". Throws UsageError.
RefineOptions parse_refine(std::string_view text);
/// The same in words that people type, in full.
std::string refine_text(const RefineOptions& options);
/// The options that may stand there, for people.
std::string refine_choices();

/// What became of one output.
struct RefinedOutput {
  std::vector<RefinedLayer> layers;
  double before = 0;         ///< what leaves the last layer, on the windows held out
  double after = 0;          ///< the same when all are refined
  std::int64_t trained = 0;  ///< matrices
  std::int64_t left = 0;     ///< matrices of less than a float type that aren't trained
  double seconds = 0;

  bool better() const { return after < before; }
};

/// What training an output takes beside the mapped files, at most.
std::int64_t refine_bytes(const Plan& plan, const RefineOptions& options, const Windows& windows,
                          int threads);

/// Reads each written output of the plan, trains its layers and writes what comes of it in its place, where what leaves
/// the last one is nearer to the float model's on the windows held out. recipe: what the plan was made of. results: what
/// coding came to, one for each output; they become those of what is written (trained_output.h).
std::vector<RefinedOutput> refine_outputs(const Plan& plan, const LoadedModel& source,
                                          const Recipe& recipe, const RefineOptions& options,
                                          Windows windows, std::vector<OutputResult>& results,
                                          const Team& team, Progress& progress);

}  // namespace zp
