#include "pipeline/trained_output.h"

#include <fmt/core.h>

#include "base/error.h"
#include "pipeline/run.h"

namespace zp {
namespace {

bool is_coded_matrix(const TensorJob& job) {
  return job.weight != nullptr && job.weight->use.part == Part::weight &&
         job.grid->family() != Family::floating && is_matrix(job.weight->use.place.role);
}

// Whose rows are coded as they are.
bool is_trained(const TensorJob& job) {
  return is_coded_matrix(job) && job.has_own_rows() && !job.grid->whole_tensor();
}

Energy energy_of(const RowReader& w, const RowReader& q) {
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

}  // namespace

std::vector<Option> schedule_options(Schedule& schedule) {
  constexpr std::int64_t kMost = 1 << 20;
  return {number_within<std::int64_t>("steps", "N", schedule.steps, 0, kMost),
          number_within<std::int64_t>("passes", "N", schedule.passes, 1, kMost),
          number_within<std::int64_t>("batch", "N", schedule.batch, 1, kMost),
          number_within<double>("rate", "X", schedule.rate, 1e-8, 1),
          number_within<std::uint64_t>("seed", "N", schedule.seed, 0, UINT64_MAX)};
}

std::string schedule_choices(std::string_view words) {
  Schedule schedule;
  std::string text = std::string(words) + "[:";
  for (std::string_view between; const Option& option : schedule_options(schedule)) {
    text += fmt::format("{}{}={}", between, option.name, option.values);
    between = ",";
  }
  return text + "]";
}

void check_trainable(const Plan& plan, std::string_view done) {
  for (const PlannedOutput& output : plan.outputs) {
    if (output.container->is_model()) continue;
    throw Error(output.path.string(),
                "can't be " + std::string(done) + ": " + std::string(output.container->name()) +
                    " can't be read back as a model",
                "another container");
  }
}

void each_trained(const PlannedOutput& output, const std::function<void(const TensorJob&)>& f) {
  for (const TensorJob& job : output.layout.jobs) {
    if (is_trained(job)) f(job);
  }
}

TrainedOutput::TrainedOutput(const Plan& plan, std::size_t index, const LoadedModel& source)
    : plan_(plan),
      index_(index),
      planned_(plan.outputs[index]),
      source_(source),
      written_(load_model(planned_.opened())) {
  for (const TensorJob& job : planned_.layout.jobs) {
    if (!is_coded_matrix(job)) continue;
    const Weight* written = written_->model.find(job.weight->use.place);
    if (!is_trained(job) || written == nullptr) {
      ++left_;
      continue;
    }
    weights_.push_back({job.weight->use.place, job.grid, written->rows});
  }
}

const Model& TrainedOutput::model() const { return written_->model; }

void TrainedOutput::write(std::span<const TrainedWeight> weights, const Learner::Matrices& matrices,
                          Recipe recipe, OutputResult& result, const Team& team,
                          Progress& progress) const {
  std::map<Place, const RowReader*> masters;
  for (std::size_t i = 0; i < weights.size(); ++i)
    masters.emplace(weights[i].place, &matrices[i]->master());
  const Model model = tuned(masters);
  recipe.model = &model;
  recipe.coder = make_coder("mse");
  recipe.importance = nullptr;
  recipe.statistics = nullptr;
  recipe.resume.clear();
  recipe.force = true;
  recipe.targets = {recipe.targets[index_]};
  recipe.targets.front().path = planned_.path;
  run_plan(make_plan(source_, recipe), true, team, progress);
  measure(weights, matrices, result);
}

// The plan's model with the masters in place of what they were trained from, and what else is coded
// as it was written.
Model TrainedOutput::tuned(const std::map<Place, const RowReader*>& masters) const {
  Model out;
  out.architecture = plan_.model->architecture;
  out.decoder = plan_.model->decoder;
  for (const Weight& weight : plan_.model->weights) {
    Weight& made = out.weights.emplace_back(weight);
    if (weight.use.part != Part::weight) continue;
    const auto master = masters.find(weight.use.place);
    if (master != masters.end()) {
      made.rows = master->second;
    } else if (is_coded(weight)) {
      made.rows = written_->model.find(weight.use.place)->rows;
    }
  }
  return out;
}

bool TrainedOutput::is_coded(const Weight& weight) const {
  const auto index = static_cast<std::size_t>(&weight - plan_.model->weights.data());
  return make_grid(planned_.choices[index].grid)->family() != Family::floating;
}

void TrainedOutput::measure(std::span<const TrainedWeight> weights,
                            const Learner::Matrices& matrices, OutputResult& result) const {
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

}  // namespace zp
