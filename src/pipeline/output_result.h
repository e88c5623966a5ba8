// What became of an output: of each tensor, and of all together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "pipeline/outcome.h"
#include "pipeline/tiles.h"
#include "pipeline/too_small.h"

namespace zp {

struct TensorResult {
  std::string name;
  const Weight* weight = nullptr;
  std::string grid;
  std::int64_t bytes = 0;
  Energy energy;
  /// The error of what the linear makes of its inputs, see output_share(); nothing: they aren't
  /// known.
  std::optional<Energy> outputs;
  std::optional<HeldOut> held_out;  ///< where windows were held out of the calibration text
};

struct OutputResult {
  std::vector<TensorResult> tensors;
  Energy energy;                       ///< of all the model's weights
  std::optional<Energy> outputs;       ///< the sum of its tensors'
  std::optional<HeldOut> held_out;     ///< likewise
  Weighing weighing = Weighing::none;  ///< what `outputs` are weighed by
  Fidelity fidelity = Fidelity::quantized;
  std::vector<TooSmall> too_small;
  std::vector<std::string> notes;  ///< what the run found, for people
};

/// In the plan's order. outcomes: of each tile; their sums have one order whatever order they came
/// in.
std::vector<OutputResult> output_results(const Plan& plan, const std::vector<Tile>& tiles,
                                         const std::vector<Outcome>& outcomes, const Team& team);

}  // namespace zp
