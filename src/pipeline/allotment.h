// A grid for each tensor of an output under a budget: chosen by measured loss (sensitivity.h),
// spent where it helps most (spend.h), verified with all tensors together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/windows.h"
#include "judge/scores.h"
#include "pipeline/plan.h"

namespace zp {

struct Limits {
  std::string name;            ///< of files: "4.5bpw"
  double bits_per_weight = 0;  ///< of all parameters; 0: no limit
  std::int64_t bytes = 0;      ///< of the whole output; 0: no limit
  /// Mean divergence on the text; then the smallest output is sought that keeps to it, all coded
  /// with mse: the next three smaller choices do not, see smallest_that_keeps().
  std::optional<double> kl = {};
};

/// One tensor, or a layer's experts, that had a choice.
struct Allotted {
  const Weight* weight = nullptr;  ///< the first
  std::string grid;
  double bits = 0;  ///< per weight
  double loss = 0;  ///< the mean divergence it is expected to add
};

struct Allotment {
  std::vector<Allotted> tensors;  ///< in the model's order
  double predicted = 0;           ///< the sum of their losses
  DivergenceSummary measured;     ///< with all of them, coded with mse
  std::int64_t tokens = 0;        ///< of the text
  std::optional<double> kl = {};  ///< what the mean divergence was to be at most
  bool within_budget = true;
  /// Of the file that was written, on the same text.
  std::optional<DivergenceSummary> written = {};

  /// Of the file, where it is there; else what is known of it.
  const DivergenceSummary& divergence() const { return written ? *written : measured; }
  /// Whether the limits are.
  bool met() const { return within_budget && (!kl || divergence().mean <= *kl); }
};

/// Chooses for one target of the recipe and writes the choice into it: grid, label, measured.
/// windows: of a text, of equal length. Tensors that an exception of the recipe names, and those
/// that none of the container's budget_grids() can hold, are left to the rules. Throws UsageError
/// for a container without such grids; Error for what make_plan() refuses.
Allotment allot(const LoadedModel& loaded, Recipe& recipe, std::size_t target, Windows windows,
                const Limits& limits, const Team& team, Progress& progress);

}  // namespace zp
