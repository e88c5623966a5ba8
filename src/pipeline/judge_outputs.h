// Judges what a plan wrote against the model it was made from.
#pragma once

#include <optional>
#include <vector>

#include "calibrate/windows.h"
#include "judge/judge.h"
#include "pipeline/plan.h"

namespace zp {

/// Throws Error, before anything has run, for outputs that can't be read back as a model and for
/// texts that can't be judged on.
void check_judgeable(const Plan& plan, const LoadedModel& source, const JudgeText& text);

/// One judgement for each output, in the plan's order. The files must be there.
std::vector<Judgement> judge_outputs(const Plan& plan, const LoadedModel& source,
                                     const JudgeText& text, const Team& team, Progress& progress);

/// Of each output the divergence from the source over windows of tokens, of equal length; the
/// second half of each is scored. Outputs that can't be read back as a model: nothing. The files
/// must be there.
std::vector<std::optional<DivergenceSummary>> divergences(const Plan& plan,
                                                          const LoadedModel& source,
                                                          const Windows& windows, const Team& team,
                                                          Progress& progress);

}  // namespace zp
