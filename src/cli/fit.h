// quantize --fit and --max-kld: the words around pipeline/allotment.h.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/command.h"
#include "pipeline/allotment.h"

namespace zp::cli {

struct FitOptions {
  std::string budget;  ///< "4.5bpw" or SIZE
  std::optional<double> max_kl;

  bool asked() const { return !budget.empty() || max_kl; }
};

/// Where the measuring's text comes from, as quantize has it.
struct FitText {
  std::vector<std::string> files;
  std::int64_t tokens = 0;
  std::int64_t context = 0;
};

/// "4.5bpw", "KL divergence up to 0.01", or both.
std::string asked_text(const FitOptions& options);

void add_fit_options(CLI::App& sub, FitOptions& options);

/// Throws UsageError for a budget that is none, no text, and targets that name grids.
void check_fit(const FitOptions& options, const FitText& text, const Recipe& recipe);

/// What was chosen, and on what.
struct Fitted {
  std::vector<Allotment> allotments;  ///< one for each target, or none
  std::vector<std::vector<std::int32_t>> windows;
};

/// Chooses for every target of the recipe, by losses over these windows.
Fitted allot_all(const FitOptions& options, std::vector<std::vector<std::int32_t>> windows,
                 const LoadedModel& loaded, Recipe& recipe, const Team& team, Progress& progress);
/// Tokens of the text that losses are measured on, at most.
std::int64_t fit_tokens(const FitText& text);

/// About how many choices are tried as a whole.
std::int64_t fit_choices(const FitOptions& options);

/// Finds Allotment::written; the plan's files must be there.
void measure_written(Fitted& fitted, const Plan& plan, const LoadedModel& loaded, const Team& team,
                     Progress& progress);

/// Which tensors got which grid, and what they lose by it.
std::string to_text(const Allotment& allotment);
/// What became of it: the divergence of the file.
std::string written_text(const Allotment& allotment);
Json to_json(const Allotment& allotment);

}  // namespace zp::cli
