// README.md of a folder: where the model comes from, how it was made, what it lost; the head is
// YAML as the Hub reads it.
//
// Sizes are known before a run, so the card's is: what is known then stands in it, and for figures
// that come later there is room of a fixed width. Nothing of time, machine or paths is in it.
#pragma once

#include <optional>
#include <string>

#include "judge/judge.h"
#include "kernel/energy.h"
#include "pipeline/plan.h"

namespace zp {

/// What is measured after the plan.
struct CardFigures {
  Energy error;                          ///< of the weights
  std::optional<Energy> outputs;         ///< of what linears make of their inputs, where known
  const Judgement* judgement = nullptr;  ///< beside the source; nullptr: not judged
};

/// The text; of one length whatever the figures are, nullptr: none yet.
std::string model_card(const LoadedModel& loaded, const Recipe& recipe, const PlannedOutput& output,
                       const Model& model, const CardFigures* figures);

/// Adds README.md to a folder's layout.
void add_model_card(const LoadedModel& loaded, const Recipe& recipe, const Model& model,
                    PlannedOutput& output);
/// Replaces the card of a folder that is written by one with figures, of the same size.
void complete_model_card(const LoadedModel& loaded, const Recipe& recipe, const Model& model,
                         const PlannedOutput& output, const CardFigures& figures);

}  // namespace zp
