// Budgets as people ask for them: a size of the outputs, a divergence they may have, or both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibrate/windows.h"
#include "pipeline/allotment.h"

namespace zp {

struct Budget {
  std::string size;              ///< "4.5bpw" or bytes, "3.2GB"
  std::optional<double> max_kl;  ///< mean KL divergence on the text that losses are measured on

  bool asked() const { return !size.empty() || max_kl; }
};

/// "4.5bpw", "KL divergence up to 0.01", or both.
std::string asked_text(const Budget& budget);

/// Throws UsageError for a budget that is none, no text, a text that can't be read twice, and
/// targets that name grids.
void check_budget(const Budget& budget, const std::vector<std::string>& texts,
                  const Recipe& recipe);

/// Tokens of a text of so many that losses are measured on, at most.
std::int64_t measured_tokens(std::int64_t tokens);
/// About how many choices are tried as a whole.
std::int64_t tried_choices(const Budget& budget);

/// What was chosen, and on what.
struct Allotments {
  std::vector<Allotment> targets;  ///< one for each target, or none
  Windows windows;

  bool met() const;
};

/// Chooses for every target of the recipe, by losses over these windows.
Allotments allot_all(const Budget& budget, Windows windows, const LoadedModel& loaded,
                     Recipe& recipe, const Team& team, Progress& progress);

/// Finds Allotment::written; the plan's files must be there.
void measure_written(Allotments& allotments, const Plan& plan, const LoadedModel& loaded,
                     const Team& team, Progress& progress);

}  // namespace zp
