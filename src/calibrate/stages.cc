#include "calibrate/stages.h"

#include <algorithm>
#include <utility>

namespace zp {
namespace {

void add_stages(const Network& network, std::int64_t layer, std::vector<ValueId> inputs,
                std::int64_t experts, std::int64_t together, std::vector<Stage>& stages) {
  const auto to_experts =
      std::ranges::find_if(inputs, [&](ValueId v) { return network.steps[v].by_expert; });
  const std::vector<ValueId> rest(to_experts, inputs.end());
  if (rest.empty() || together >= experts) {
    stages.push_back({layer, std::move(inputs), 0, experts});
    return;
  }
  inputs.erase(to_experts, inputs.end());
  if (!inputs.empty()) stages.push_back({layer, std::move(inputs)});
  for (const ValueId input : rest) {
    if (!network.steps[input].by_expert) {
      stages.push_back({layer, {input}});
      continue;
    }
    for (std::int64_t begin = 0; begin < experts; begin += together)
      stages.push_back({layer, {input}, begin, std::min(experts, begin + together)});
  }
}

}  // namespace

bool Stage::has(LinearInput input) const {
  return std::ranges::count(inputs, input.value) > 0 &&
         (input.expert < 0 || (input.expert >= begin && input.expert < end));
}

std::vector<LinearInput> found(const Network& network, const Stage& stage, ValueId input) {
  std::vector<LinearInput> all = linear_inputs_of(network, input);
  std::erase_if(all, [&](const LinearInput& i) { return !stage.has(i); });
  return all;
}

std::vector<Stage> stages_of(const Network& network, bool one_by_one, std::int64_t experts,
                             std::int64_t together) {
  std::vector<Stage> stages;
  if (one_by_one) stages.push_back({});
  for (std::int64_t layer = 0; layer < std::ssize(network.layers); ++layer) {
    const std::vector<ValueId> inputs = linear_inputs(network, layer);
    if (!one_by_one) {
      add_stages(network, layer, inputs, experts, together, stages);
      continue;
    }
    for (const ValueId input : inputs)
      add_stages(network, layer, {input}, experts, together, stages);
  }
  stages.push_back({-1, linear_inputs(network, -1)});
  return stages;
}

}  // namespace zp
