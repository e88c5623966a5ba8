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

// Quantized tensors whose values are kept; outcomes: of each job. Empty: there are none.
std::string kept_text(const PlannedOutput& output, const std::vector<Outcome>& outcomes) {
  std::int64_t coded = 0;
  std::int64_t exact = 0;
  std::int64_t rounded = 0;  // not exact, but what the source has rounds to the same
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const TensorJob& job = output.layout.jobs[i];
    if (job.grid->family() == Family::floating) continue;
    ++coded;
    if (outcomes[i].kept == job.rows->rows() * job.rows->cols())
      ++(outcomes[i].weights.error == 0 ? exact : rounded);
  }
  const auto of_all = [&](std::int64_t count) {
    return std::to_string(count) + " of " + std::to_string(coded) + " quantized tensors";
  };
  std::string text;
  if (exact > 0) text = of_all(exact) + " lay on their grids already: exact, nothing was rounded";
  if (rounded > 0) {
    text += (text.empty() ? "" : "; ") + of_all(rounded) +
            " lay on their grids before their type rounded them: these values are found again";
  }
  return text;
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
    if (std::string text = kept_text(output, of_jobs[o]); !text.empty())
      results[o].notes.push_back(std::move(text));
  }
  return results;
}

}  // namespace zp
