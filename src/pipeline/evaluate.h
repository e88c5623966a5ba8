// What a model is worth on a text, alone or against another.
#pragma once

#include <cstdint>
#include <string>

#include "base/parallel.h"
#include "base/progress.h"
#include "judge/judge.h"

namespace zp {

/// Fields have the names of the command line's options; empty: not asked for.
struct EvaluateRequest {
  std::string model;
  std::string merge;    ///< an adapter that the model holds, into its weights
  std::string adapter;  ///< the folder of one, the same
  std::string text;
  std::string against;
  std::int64_t context = 512;  ///< tokens of a window
};

/// Throws Error for what the files don't allow; Cancelled where the team is.
Judgement evaluate(const EvaluateRequest& request, const Team& team, Progress& progress);

}  // namespace zp
