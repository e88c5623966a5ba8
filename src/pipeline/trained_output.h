// A written output, read back as a model to be trained, and written again as it was trained.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "method/options.h"
#include "pipeline/output_result.h"
#include "pipeline/plan.h"
#include "tune/learner.h"

namespace zp {

/// The options of a schedule, which reads them into `schedule`.
std::vector<Option> schedule_options(Schedule& schedule);
/// "WORDS[:steps=N,...]", for people.
std::string schedule_choices(std::string_view words);

/// Throws Error for outputs that are not read back; `done`: "distilled".
void check_trainable(const Plan& plan, std::string_view done);

/// f(job) of every matrix of an output that would be trained.
void each_trained(const PlannedOutput& output, const std::function<void(const TensorJob&)>& f);

/// Borrows all.
class TrainedOutput {
 public:
  TrainedOutput(const Plan& plan, std::size_t index, const LoadedModel& source);

  /// What was written.
  const Model& model() const;
  /// Matrices whose rows it codes as they are.
  std::span<const TrainedWeight> weights() const { return weights_; }
  /// How many it codes otherwise.
  std::int64_t left() const { return left_; }

  /// Writes it again, with what was trained, one for each of `weights`. recipe: what the plan was made of. The
  /// weights' errors in `result` become those of what is written; of the outputs' nothing is known then.
  void write(std::span<const TrainedWeight> weights, const Learner::Matrices& matrices,
             Recipe recipe, OutputResult& result, const Team& team, Progress& progress) const;

 private:
  Model tuned(const std::map<Place, const RowReader*>& masters) const;
  bool is_coded(const Weight& weight) const;
  void measure(std::span<const TrainedWeight> weights, const Learner::Matrices& matrices,
               OutputResult& result) const;

  const Plan& plan_;
  std::size_t index_;  // of the output, and of its target
  const PlannedOutput& planned_;
  const LoadedModel& source_;
  std::unique_ptr<LoadedModel> written_;
  std::vector<TrainedWeight> weights_;
  std::int64_t left_ = 0;
};

}  // namespace zp
