// Distillation: what is stored of a quantized model is trained until the model's answers are those of
// the one it was made from (Hinton et al., 2015): the mean over a text's tokens of KL(p || q),
// p and q both models' probabilities of the next token.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "model/architecture.h"
#include "tune/learner.h"

namespace zp {

struct DistillOptions {
  Learned learned = Learned::scales;
  Schedule schedule;
};

/// How far the model was from its teacher when it was looked at.
struct DistillLook {
  std::int64_t step = 0;
  std::optional<double> loss;  ///< the mean of the steps since the last look
  double held_out = 0;         ///< of the windows that nothing is learned from
};

struct Distilled {
  Learner::Matrices matrices;      ///< one for each trained weight, as it was best
  std::vector<DistillLook> looks;  ///< the first before any step
  std::size_t best = 0;            ///< of them
};

/// Tokens that distill() lets through: of windows of `length` tokens.
std::int64_t distill_tokens(std::int64_t length, std::int64_t learned, std::int64_t held_out,
                            const DistillOptions& options);

/// What distill() takes beside the matrices: `windows` of `length` tokens go through both models.
std::int64_t distill_bytes(const Model& model, std::int64_t length, std::int64_t windows,
                           int threads);

/// Trains `student` to answer as `teacher`; both have one vocabulary. Of all looks at the windows
/// held out (of `windows` where there are none) the best is kept. Throws Error where a loss is
/// no number.
Distilled distill(const Model& teacher, const Model& student,
                  std::span<const TrainedWeight> weights, TokenWindows windows,
                  TokenWindows held_out, const DistillOptions& options, const Team& team,
                  Progress& progress);

}  // namespace zp
