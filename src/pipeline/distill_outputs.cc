#include "pipeline/distill_outputs.h"

#include <fmt/core.h>

#include <chrono>

#include "base/error.h"
#include "pipeline/trained_output.h"

namespace zp {
namespace {

constexpr std::string_view kScales = "scales";
constexpr std::string_view kAll = "all";

}  // namespace

DistillOptions parse_distill(std::string_view text) {
  DistillOptions options;
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  if (word != kScales && word != kAll)
    throw UsageError("`distill`", "no such thing to learn", "scales or all", std::string(word));
  options.learned = word == kAll ? Learned::all : Learned::scales;
  if (colon != std::string_view::npos)
    read_options("`distill`", text.substr(colon + 1), schedule_options(options.schedule));
  return options;
}

std::string distill_text(const DistillOptions& options) {
  DistillOptions copy = options;
  return fmt::format("{}:{}", options.learned == Learned::all ? kAll : kScales,
                     options_text(schedule_options(copy.schedule)));
}

std::string distill_choices() { return schedule_choices(fmt::format("{}|{}", kScales, kAll)); }

std::int64_t distill_bytes(const Plan& plan, const DistillOptions& options, const Windows& windows,
                           int threads) {
  std::int64_t most = 0;
  for (const PlannedOutput& output : plan.outputs) {
    std::int64_t bytes = 0;
    each_trained(output, [&](const TensorJob& job) {
      bytes += LearnedMatrix::bytes(*job.grid, job.rows->rows(), job.rows->cols(), options.learned);
    });
    most = std::max(most, bytes);
  }
  return most +
         distill_bytes(*plan.model, std::ssize(windows.front()), std::ssize(windows), threads);
}

std::vector<DistilledOutput> distill_outputs(const Plan& plan, const LoadedModel& source,
                                             const Recipe& recipe, const DistillOptions& options,
                                             Windows windows, std::vector<OutputResult>& results,
                                             const Team& team, Progress& progress) {
  const Windows held_out = hold_out(windows);
  std::vector<DistilledOutput> all;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const TrainedOutput output(plan, i, source);
    const Distilled found = distill(source.model, output.model(), output.weights(), windows,
                                    held_out, options, team, progress);
    if (found.best > 0)
      output.write(output.weights(), found.matrices, recipe, results[i], team, progress);
    DistilledOutput& out = all.emplace_back();
    out.looks = found.looks;
    out.best = found.best;
    out.trained = std::ssize(output.weights());
    out.left = output.left();
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return all;
}

}  // namespace zp
