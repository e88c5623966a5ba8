// A calibration's stages: which values that linears read are found together, before the weights of
// these linears can be coded.
#pragma once

#include <cstdint>
#include <vector>

#include "model/network.h"

namespace zp {

struct Stage {
  std::int64_t layer = -1;      ///< -1: none
  std::vector<ValueId> inputs;  ///< none: tables that are looked up
  /// Of those that go to experts, the experts [begin, end).
  std::int64_t begin = 0;
  std::int64_t end = 0;

  bool has(LinearInput input) const;
};

/// What the stage finds of one of its values.
std::vector<LinearInput> found(const Network& network, const Stage& stage, ValueId input);

/// All of a network, in order. `one_by_one`: each value by itself, behind a stage of the tables.
/// together: experts of a layer whose statistics have room at once; where that is not all of
/// `experts`, all of them are through with a value before the next one's turn comes.
std::vector<Stage> stages_of(const Network& network, bool one_by_one, std::int64_t experts,
                             std::int64_t together);

}  // namespace zp
