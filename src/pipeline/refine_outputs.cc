#include "pipeline/refine_outputs.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "base/error.h"
#include "pipeline/trained_output.h"

namespace zp {
namespace {

constexpr std::string_view kBlocks = "blocks";

bool is_of_layer(const Plan& plan, Place place) {
  return place.layer >= 0 && place.layer < plan.model->decoder.layers;
}

}  // namespace

RefineOptions parse_refine(std::string_view text) {
  RefineOptions options;
  const std::size_t colon = text.find(':');
  if (text.substr(0, colon) != kBlocks)
    throw UsageError("`refine`", "no such thing to refine", std::string(kBlocks),
                     std::string(text.substr(0, colon)));
  if (colon != std::string_view::npos)
    read_options("`refine`", text.substr(colon + 1), schedule_options(options.schedule));
  return options;
}

std::string refine_text(const RefineOptions& options) {
  RefineOptions copy = options;
  return fmt::format("{}:{}", kBlocks, options_text(schedule_options(copy.schedule)));
}

std::string refine_choices() { return schedule_choices(kBlocks); }

std::int64_t refine_bytes(const Plan& plan, const RefineOptions& options, const Windows& windows,
                          int threads) {
  std::int64_t most = 0;
  for (const PlannedOutput& output : plan.outputs) {
    std::int64_t learned = 0;
    std::map<std::int64_t, std::int64_t> learning;  // of a layer's matrices
    each_trained(output, [&](const TensorJob& job) {
      if (!is_of_layer(plan, job.weight->use.place)) return;
      const auto of = [&](auto bytes) {
        return bytes(*job.grid, job.rows->rows(), job.rows->cols(), options.learned);
      };
      learned += of(LearnedMatrix::learned_bytes);
      learning[job.weight->use.place.layer] += of(LearnedMatrix::bytes);
    });
    std::int64_t of_layer = 0;
    for (const auto& [layer, bytes] : learning) of_layer = std::max(of_layer, bytes);
    most = std::max(most, learned + of_layer);
  }
  return most +
         refine_bytes(*plan.model, std::ssize(windows.front()), std::ssize(windows), threads);
}

std::vector<RefinedOutput> refine_outputs(const Plan& plan, const LoadedModel& source,
                                          const Recipe& recipe, const RefineOptions& options,
                                          Windows windows, std::vector<OutputResult>& results,
                                          const Team& team, Progress& progress) {
  const Windows held_out = hold_out(windows);
  std::vector<RefinedOutput> all;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const TrainedOutput output(plan, i, source);
    std::vector<TrainedWeight> weights;
    std::ranges::copy_if(output.weights(), std::back_inserter(weights),
                         [&](const TrainedWeight& w) { return is_of_layer(plan, w.place); });
    const Refined found =
        refine(*plan.model, output.model(), weights, windows, held_out, options, team, progress);
    RefinedOutput& out = all.emplace_back();
    out.layers = found.layers;
    out.before = found.before;
    out.after = found.after;
    out.trained = std::ssize(weights);
    out.left = output.left();
    if (out.better()) output.write(weights, found.matrices, recipe, results[i], team, progress);
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return all;
}

}  // namespace zp
