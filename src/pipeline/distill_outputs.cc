#include "pipeline/distill_outputs.h"

#include <fmt/core.h>

#include <chrono>
#include <map>

#include "base/error.h"
#include "engine/backward.h"
#include "method/options.h"
#include "model/network.h"
#include "pipeline/run.h"

namespace zp {
namespace {

constexpr std::string_view kScales = "scales";
constexpr std::string_view kAll = "all";

std::vector<Option> options_of(DistillOptions& options) {
  constexpr std::int64_t kMost = 1 << 20;
  return {number_within<std::int64_t>("passes", "N", options.passes, 1, kMost),
          number_within<std::int64_t>("batch", "N", options.batch, 1, kMost),
          number_within<double>("rate", "X", options.rate, 1e-8, 1),
          number_within<std::uint64_t>("seed", "N", options.seed, 0, UINT64_MAX)};
}

bool is_coded_matrix(const TensorJob& job) {
  return job.weight != nullptr && job.weight->use.part == Part::weight &&
         job.grid->family() != Family::floating && is_matrix(job.weight->use.place.role);
}

// Whose rows are coded as they are.
bool is_trained(const TensorJob& job) {
  return is_coded_matrix(job) && job.has_own_rows() && !job.grid->whole_tensor();
}

// A written output, and the model that is trained over it.
class Output {
 public:
  Output(const Plan& plan, std::size_t index, const LoadedModel& source)
      : plan_(plan),
        index_(index),
        planned_(plan.outputs[index]),
        source_(source),
        written_(load_model(planned_.path)) {}

  DistilledOutput distill(const DistillOptions& options, TokenWindows windows,
                          TokenWindows held_out, const Recipe& recipe, OutputResult& result,
                          const Team& team, Progress& progress) {
    DistilledOutput out;
    const std::vector<TrainedWeight> weights = trained(out.left);
    out.trained = std::ssize(weights);
    Distilled found = zp::distill(source_.model, written_->model, weights, windows, held_out,
                                  options, team, progress);
    out.looks = found.looks;
    out.best = found.best;
    if (out.best == 0) return out;
    for (std::size_t i = 0; i < weights.size(); ++i)
      masters_.emplace(weights[i].place, &found.matrices[i]->master());
    write(recipe, team, progress);
    measure(weights, found.matrices, result);
    return out;
  }

 private:
  // Matrices whose rows the output codes as they are; `left`: of those that it codes otherwise.
  std::vector<TrainedWeight> trained(std::int64_t& left) const {
    std::vector<TrainedWeight> all;
    for (const TensorJob& job : planned_.layout.jobs) {
      if (!is_coded_matrix(job)) continue;
      const Weight* written = written_->model.find(job.weight->use.place);
      if (!is_trained(job) || written == nullptr) {
        ++left;
        continue;
      }
      all.push_back({job.weight->use.place, job.grid, written->rows});
    }
    return all;
  }

  // The plan's model with the masters in place of what they were trained from, and what else is coded
  // as it was written.
  Model tuned() const {
    Model out;
    out.architecture = plan_.model->architecture;
    out.decoder = plan_.model->decoder;
    for (const Weight& weight : plan_.model->weights) {
      Weight& made = out.weights.emplace_back(weight);
      if (weight.use.part != Part::weight) continue;
      const auto master = masters_.find(weight.use.place);
      if (master != masters_.end()) {
        made.rows = master->second;
      } else if (is_coded(weight)) {
        made.rows = written_->model.find(weight.use.place)->rows;
      }
    }
    return out;
  }

  bool is_coded(const Weight& weight) const {
    const auto index = static_cast<std::size_t>(&weight - plan_.model->weights.data());
    return make_grid(planned_.choices[index].grid)->family() != Family::floating;
  }

  void write(Recipe recipe, const Team& team, Progress& progress) const {
    const Model model = tuned();
    recipe.model = &model;
    recipe.coder = make_coder("mse");
    recipe.importance = nullptr;
    recipe.statistics = nullptr;
    recipe.resume.clear();
    recipe.force = true;
    recipe.targets = {recipe.targets[index_]};
    recipe.targets.front().path = planned_.path;
    run_plan(make_plan(source_, recipe), true, team, progress);
  }

  // The weights' errors anew; of their outputs' nothing is known any more.
  void measure(std::span<const TrainedWeight> weights,
               std::span<const std::unique_ptr<LearnedMatrix>> matrices,
               OutputResult& result) const {
    std::map<Place, Energy> found;
    for (std::size_t i = 0; i < weights.size(); ++i)
      found.emplace(weights[i].place,
                    energy_of(*plan_.model->find(weights[i].place)->rows, matrices[i]->coded()));
    result.energy = {};
    result.outputs.reset();
    result.held_out.reset();
    result.weighing = Weighing::none;
    for (TensorResult& tensor : result.tensors) {
      tensor.outputs.reset();
      tensor.held_out.reset();
      if (tensor.weight == nullptr) continue;
      const auto trained = found.find(tensor.weight->use.place);
      if (trained != found.end() && tensor.weight->use.part == Part::weight)
        tensor.energy = trained->second;
      result.energy += tensor.energy;
    }
    if (planned_.card) replace_model_card(planned_, {result.energy, {}, nullptr});
  }

  static Energy energy_of(const RowReader& w, const RowReader& q) {
    Energy sum;
    std::vector<float> before(static_cast<std::size_t>(w.cols()));
    std::vector<float> after(before.size());
    for (std::int64_t r = 0; r < w.rows(); ++r) {
      w.read(r, 1, before.data());
      q.read(r, 1, after.data());
      sum += energy(before, after);
    }
    return sum;
  }

  const Plan& plan_;
  std::size_t index_;  // of the output, and of its target
  const PlannedOutput& planned_;
  const LoadedModel& source_;
  std::unique_ptr<LoadedModel> written_;
  std::map<Place, const RowReader*> masters_;
};

}  // namespace

DistillOptions parse_distill(std::string_view text) {
  DistillOptions options;
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  if (word != kScales && word != kAll)
    throw UsageError("`distill`", "no such thing to learn", "scales or all", std::string(word));
  options.learned = word == kAll ? Learned::all : Learned::scales;
  if (colon != std::string_view::npos)
    read_options("`distill`", text.substr(colon + 1), options_of(options));
  return options;
}

std::string distill_text(const DistillOptions& options) {
  DistillOptions copy = options;
  return fmt::format("{}:{}", options.learned == Learned::all ? kAll : kScales,
                     options_text(options_of(copy)));
}

std::string distill_choices() {
  DistillOptions options;
  std::string text = fmt::format("{}|{}[:", kScales, kAll);
  for (std::string_view between; const Option& option : options_of(options)) {
    text += fmt::format("{}{}={}", between, option.name, option.values);
    between = ",";
  }
  return text + "]";
}

std::int64_t distill_bytes(const Plan& plan, const DistillOptions& options, const Windows& windows,
                           int threads) {
  std::int64_t most = 0;
  for (const PlannedOutput& output : plan.outputs) {
    std::int64_t bytes = 0;
    for (const TensorJob& job : output.layout.jobs) {
      if (is_trained(job))
        bytes +=
            LearnedMatrix::bytes(*job.grid, job.rows->rows(), job.rows->cols(), options.learned);
    }
    most = std::max(most, bytes);
  }
  return most +
         distill_bytes(*plan.model, std::ssize(windows.front()), std::ssize(windows), threads);
}

void check_distillable(const Plan& plan) {
  check_differentiable(plan.model->decoder, record(*plan.model));
  for (const PlannedOutput& output : plan.outputs) {
    if (output.container->is_model()) continue;
    throw Error(output.path.string(),
                "can't be distilled: " + std::string(output.container->name()) +
                    " can't be read back as a model",
                "another container, or no `distill`");
  }
}

std::vector<DistilledOutput> distill_outputs(const Plan& plan, const LoadedModel& source,
                                             const Recipe& recipe, const DistillOptions& options,
                                             Windows windows, std::vector<OutputResult>& results,
                                             const Team& team, Progress& progress) {
  const Windows held_out = hold_out(windows);
  std::vector<DistilledOutput> all;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const auto begin = std::chrono::steady_clock::now();
    all.push_back(Output(plan, i, source)
                      .distill(options, windows, held_out, recipe, results[i], team, progress));
    all.back().seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return all;
}

}  // namespace zp
