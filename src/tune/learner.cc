#include "tune/learner.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"

namespace zp {

std::vector<std::size_t> shuffled(std::size_t count, Random& random) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  return order;
}

std::int64_t Schedule::steps_of(std::int64_t windows) const {
  return steps > 0 ? steps : ceil_div(windows, batch) * passes;
}

std::int64_t Schedule::learned(std::int64_t windows) const {
  const std::int64_t all = steps_of(windows);
  const std::int64_t of_pass = ceil_div(windows, batch);
  return all / of_pass * windows + std::min(all % of_pass * batch, windows);
}

Learner::Learner(std::span<const TrainedWeight> weights, Learned learned, const Team& team)
    : team_(team) {
  for (const TrainedWeight& weight : weights) {
    index_.emplace(weight.place, matrices_.size());
    matrices_.push_back(std::make_unique<LearnedMatrix>(weight.grid, *weight.start, learned));
    paces_.push_back(1);
    for (const auto& group : matrices_.back()->groups()) states_.emplace_back(group.values.size());
  }
}

// f(group, index of its state, pace) of every group of numbers.
template <class F>
void Learner::each_group(const F& f) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < matrices_.size(); ++i) {
    for (const LearnedMatrix::Group& group : matrices_[i]->groups()) f(group, at++, paces_[i]);
  }
}

void Learner::set_pace(const std::function<double(const LearnedMatrix&)>& pace) {
  for (std::size_t i = 0; i < matrices_.size(); ++i) paces_[i] = pace(*matrices_[i]);
}

void Learner::attach(Engine& engine) {
  code();
  for (const auto& [place, index] : index_) engine.replace(place, matrices_[index]->coded());
}

void Learner::clear_gradients() {
  each_group([](const LearnedMatrix::Group& group, std::size_t, double) {
    std::ranges::fill(group.gradients, 0.0f);
  });
}

void Learner::update(double rate, std::int64_t step, std::int64_t steps) {
  const double now = rate_of_step(rate, step, steps);
  each_group([&](const LearnedMatrix::Group& group, std::size_t at, double pace) {
    states_[at].update(group.values, group.gradients, now * pace, step);
  });
  code();
}

void Learner::keep() {
  best_.resize(states_.size());
  each_group([&](const LearnedMatrix::Group& group, std::size_t at, double) {
    best_[at].assign(group.values.begin(), group.values.end());
  });
}

void Learner::restore() {
  each_group([&](const LearnedMatrix::Group& group, std::size_t at, double) {
    std::ranges::copy(best_[at], group.values.begin());
  });
  code();
}

void Learner::add_rows(Place place, std::int64_t begin, Matrix gradient) {
  matrices_[index_.at(place)]->add_gradient(begin, gradient);
}

void Learner::code() {
  for (const auto& matrix : matrices_) matrix->code(team_);
}

}  // namespace zp
