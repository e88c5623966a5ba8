// Refinement: the layers of a quantized model, one behind the other, are trained to give what those of the float
// model give (block-wise reconstruction: Li et al., "BRECQ", 2021; with all weights trained on their grid: Chen et al.,
// "EfficientQAT", 2024). What enters a layer comes of the layers that were refined before it, so it also learns to make up
// for what they still do wrong.
//
// What is made small is the mean over tokens of |out - float's out|^2 / |float's out|^2: behind a layer stands a norm, which
// sees a token's numbers by their size in it, and a few tokens have numbers a thousand times as large as others.
#pragma once

#include "base/progress.h"
#include "model/architecture.h"
#include "tune/learner.h"

namespace zp {

/// The rate is that of a grid of 2 bits for each weight. With every bit more a grid's steps are half as long, and what
/// is left to gain a quarter: so is the rate.
struct RefineOptions {
  Learned learned = Learned::all;
  Schedule schedule = {.passes = 4, .rate = 0.06};
};

/// How far what leaves a layer was from the float model's on the windows held out.
struct RefinedLayer {
  std::int64_t layer = 0;
  double before = 0;
  double after = 0;
};

struct Refined {
  Learner::Matrices matrices;  ///< one for each trained weight, as it was best
  std::vector<RefinedLayer> layers;
  double before = 0;  ///< the same of what leaves the last layer, where none is refined
  double after = 0;   ///< where all are
};

/// Tokens that go through layers, in all: of windows of `length` tokens.
std::int64_t refine_tokens(std::int64_t layers, std::int64_t length, std::int64_t learned,
                           std::int64_t held_out, const RefineOptions& options);

/// What refine() takes beside the matrices: `windows` of `length` tokens go through both models.
std::int64_t refine_bytes(const Model& model, std::int64_t length, std::int64_t windows,
                          int threads);

/// Trains `student`, whose layers give what `teacher`'s should. Of all looks at the windows held out (of `windows`
/// where there are none) each layer's best is kept. REQUIRES: weights are of layers. Throws Error where a loss is
/// no number.
Refined refine(const Model& teacher, const Model& student, std::span<const TrainedWeight> weights,
               TokenWindows windows, TokenWindows held_out, const RefineOptions& options,
               const Team& team, Progress& progress);

}  // namespace zp
