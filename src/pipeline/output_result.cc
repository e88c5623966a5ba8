#include "pipeline/output_result.h"

#include <algorithm>

namespace zp {
namespace {

void add(const TensorJob& job, const Outcome& outcome, OutputResult& to) {
  TensorResult& t = to.tensors.emplace_back();
  t.name = job.name;
  t.weight = job.weight;
  t.grid = job.grid->spec();
  t.bytes = job.grid->bytes(job.rows->rows(), job.rows->cols());
  t.energy = outcome.weights;
  const auto weights = static_cast<double>(job.rows->rows() * job.rows->cols());
  t.outputs = output_share(outcome, weights);
  t.held_out = held_out_share(outcome, weights);
  if (t.weight != nullptr) to.energy += t.energy;
  if (t.held_out) to.held_out = to.held_out.value_or(HeldOut()) += *t.held_out;
  if (!t.outputs) return;
  to.weighing = std::max(to.weighing, outcome.weighing);
  to.outputs = to.outputs.value_or(Energy()) += *t.outputs;
}

void find_too_small(const PlannedOutput& output, Fit fit, const std::vector<Outcome>& outcomes,
                    const Team& team, OutputResult& to) {
  std::vector<Zeroed> blocks;
  for (const Outcome& outcome : outcomes) blocks.push_back(outcome.blocks);
  to.too_small = too_small(output, blocks, fit, team);
  if (std::string note = to_text(to.too_small, *output.container); !note.empty())
    to.notes.push_back(std::move(note));
}

Fidelity fidelity_of(const PlannedOutput& output, const OutputResult& result) {
  if (result.energy.error != 0) return Fidelity::quantized;
  const auto repacked = [](const Choice& c) { return c.held == Fidelity::repacked; };
  return std::ranges::any_of(output.choices, repacked) ? Fidelity::repacked : Fidelity::exact;
}

}  // namespace

std::vector<OutputResult> output_results(const Plan& plan, const std::vector<Tile>& tiles,
                                         const std::vector<Outcome>& outcomes, const Team& team) {
  std::vector<std::vector<Outcome>> of_jobs;
  for (const PlannedOutput& output : plan.outputs) of_jobs.emplace_back(output.layout.jobs.size());
  for (std::size_t i = 0; i < tiles.size(); ++i)
    of_jobs[tiles[i].output][tiles[i].job] += outcomes[i];
  std::vector<OutputResult> results(plan.outputs.size());
  for (std::size_t o = 0; o < results.size(); ++o) {
    const PlannedOutput& output = plan.outputs[o];
    for (std::size_t j = 0; j < of_jobs[o].size(); ++j)
      add(output.layout.jobs[j], of_jobs[o][j], results[o]);
    find_too_small(output, plan.coder->fit(), of_jobs[o], team, results[o]);
    results[o].fidelity = fidelity_of(output, results[o]);
  }
  return results;
}

}  // namespace zp
