// What a job will do, and about how long each kind of work takes: guesses to begin with, since a
// Progress measures as it goes on.
#pragma once

#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "model/architecture.h"

namespace zp {

/// Amounts of 0: not asked for.
struct JobOutline {
  int threads = 1;
  std::int64_t outputs = 1;
  std::int64_t own_text_tokens = 0;     ///< that the model writes itself
  std::int64_t fit_tokens = 0;          ///< that losses are measured on
  std::int64_t fit_choices = 1;         ///< that are tried as a whole
  std::int64_t calibration_tokens = 0;  ///< of the text
  std::int64_t calibration_stages = 0;  ///< LayerStatistics::stages()
  std::int64_t calibration_work = 0;    ///< LayerStatistics::work()
  std::int64_t rewrites = 0;            ///< each with a pass over the text
  bool feedback = false;                ///< the coder spreads errors
  std::int64_t refine_tokens = 0;       ///< that go through layers to be refined, in all
  std::int64_t distill_tokens = 0;      ///< that outputs learn on or are looked at, in all
  std::int64_t judge_tokens = 0;
};

/// That the model takes to write so many tokens.
double own_text_seconds(const Model& model, std::int64_t tokens, int threads);

/// By the names of the stages that own text, sensitivity, calibration, run and judge have.
std::vector<Work> expected_work(const Model& model, const JobOutline& job);

}  // namespace zp
