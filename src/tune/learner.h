// Matrices that are trained together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "engine/engine.h"
#include "tune/adamw.h"
#include "tune/learned_matrix.h"

namespace zp {

/// Windows of tokens, of equal length.
using TokenWindows = std::span<const std::vector<std::int32_t>>;

/// 0 to count - 1 in an order that the random numbers say.
std::vector<std::size_t> shuffled(std::size_t count, Random& random);

/// How long and how fast it is learned.
struct Schedule {
  std::int64_t steps = 0;   ///< 0: as many as the passes have
  std::int64_t passes = 2;  ///< over the windows
  std::int64_t batch = 2;   ///< windows a step
  double rate = 0.004;      ///< the most that a number moves in a step
  std::uint64_t seed = 0;   ///< of the windows' order

  std::int64_t steps_of(std::int64_t windows) const;
  /// Windows that all steps learn from, each as often as it is learned from.
  std::int64_t learned(std::int64_t windows) const;
};

/// The order in which windows are learned from, and when it is looked at what came of it: behind as many of the
/// steps as there are looks, spread evenly. learn(indices of windows, step): from 1 on.
template <class Learn, class Look>
void each_step(const Schedule& schedule, std::size_t windows, std::int64_t looks,
               const Learn& learn, const Look& look) {
  const std::int64_t steps = schedule.steps_of(static_cast<std::int64_t>(windows));
  const auto batch = static_cast<std::size_t>(schedule.batch);
  Random random(schedule.seed);
  std::int64_t step = 0;
  while (step < steps) {
    const std::vector<std::size_t> order = shuffled(windows, random);
    for (std::size_t begin = 0; begin < windows && step < steps; begin += batch) {
      learn(std::span(order).subspan(begin, std::min(batch, windows - begin)), ++step);
      if (step * looks / steps > (step - 1) * looks / steps) look(step);
    }
  }
}

/// A matrix to be trained, and the grid that stores it. `start`: what it is now.
struct TrainedWeight {
  Place place;
  std::shared_ptr<const Grid> grid;
  const RowReader* start = nullptr;
};

/// Gathers the gradients of matrices, moves them by Adam, and keeps what was best.
class Learner final : public WeightGradients {
 public:
  using Matrices = std::vector<std::unique_ptr<LearnedMatrix>>;

  Learner(std::span<const TrainedWeight> weights, Learned learned, const Team& team);

  /// The share of update()'s rate that a matrix takes; 1 if not said.
  void set_pace(const std::function<double(const LearnedMatrix&)>& pace);

  /// From now on the engine multiplies by what is stored of them, as it is after each step.
  void attach(Engine& engine);
  void clear_gradients();
  /// The `step`th of `steps`, by the gradients since they were cleared.
  void update(double rate, std::int64_t step, std::int64_t steps);
  /// As they are now they are best.
  void keep();
  /// Back to what was best.
  void restore();
  /// One for each weight.
  Matrices release() && { return std::move(matrices_); }

  bool wants(Place place) const override { return index_.contains(place); }
  void add_rows(Place place, std::int64_t begin, Matrix gradient) override;
  void add_norm(Place, Floats) override {}

 private:
  template <class F>
  void each_group(const F& f);
  void code();

  const Team& team_;
  Matrices matrices_;
  std::vector<double> paces_;  // of the matrices
  std::map<Place, std::size_t> index_;
  std::vector<Adam> states_;              // of each group of numbers
  std::vector<std::vector<float>> best_;  // the same
};

}  // namespace zp
