// README.md of a folder: where the model comes from, how it was made, what it lost; the head is
// YAML as the Hub reads it.
//
// Sizes are known before a run, so the card's is: what is known then stands in it, and figures that
// come later have room of a fixed width. The run writes the card with what it found, before the
// folder gets its name; the judge's figures come into a card of the same size that replaces it.
// Nothing of time, machine or paths is in it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "judge/judge.h"
#include "kernel/energy.h"

namespace zp {

struct LoadedModel;
struct PlannedOutput;
struct Recipe;

/// What is measured after the plan.
struct CardFigures {
  Energy error;                          ///< of the weights
  std::optional<Energy> outputs;         ///< of what linears make of their inputs, where known
  const Judgement* judgement = nullptr;  ///< beside the source; nullptr: not judged
};

struct ModelCard {
  std::size_t file = 0;  ///< of Layout::files
  std::string before;    ///< the text around the figures
  std::string after;

  /// Of one length whatever the figures are.
  std::string text(const CardFigures& figures) const;
};

/// Adds README.md, without its bytes, to a folder's layout; other outputs get none.
void add_model_card(const LoadedModel& loaded, const Recipe& recipe, const Model& model,
                    PlannedOutput& output);
/// Replaces the card of a folder by one with the judge's figures. REQUIRES: the folder has its name.
void replace_model_card(const PlannedOutput& output, const CardFigures& figures);

}  // namespace zp
