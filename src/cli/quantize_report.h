// quantize --report: what a run did, put together for the page.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/fit.h"
#include "judge/judge.h"
#include "pipeline/plan.h"
#include "pipeline/run.h"

namespace zp::cli {

/// A run that is over; borrows everything.
struct FinishedRun {
  const LoadedModel& loaded;
  const Plan& plan;
  const Method& method;
  const std::string& rewrites;  ///< as asked for; empty: none
  const RunResult& result;
  const std::vector<Judgement>& judgements;  ///< one for each output, or none
  const std::string& text;                   ///< what was judged on
  const Fitted& fitted;                      ///< grids chosen under a budget, or none
  const FitOptions& fit;
  const FitText& fit_text;
  std::string calibration;     ///< texts or statistics; empty: none
  const std::string& command;  ///< as typed
  double seconds = 0;
};

/// Before anything else is done: throws Error for a path that exists (without `force`) or where no
/// file can be made.
void check_report_can_be_written(const std::filesystem::path& path, bool force);
/// Throws Error for the path of an output.
void check_report_path(const std::filesystem::path& path, const Plan& plan);

/// The page appears when it is complete, or not at all.
void write_report(const FinishedRun& run, const std::filesystem::path& path, bool force);

}  // namespace zp::cli
