#include "tune/refine.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "kernel/elementary.h"
#include "kernel/functions.h"
#include "kernel/matmul.h"
#include "tune/layer_walk.h"
#include "tune/whole_pass.h"

namespace zp {
namespace {

constexpr std::int64_t kLooks = 4;

std::int64_t looks_of(std::int64_t steps) { return std::min(kLooks, steps); }

using WindowSpans = std::vector<std::span<const std::int32_t>>;

WindowSpans spans_of(TokenWindows first, TokenWindows then) {
  WindowSpans all(first.begin(), first.end());
  all.insert(all.end(), then.begin(), then.end());
  return all;
}

// The sum over tokens of |x - y|^2 / |y|^2.
double distance(Matrix x, Matrix y) {
  double sum = 0;
  std::vector<float> apart;
  for (std::int64_t r = 0; r < x.rows; ++r) {
    apart.assign(x.row(r).begin(), x.row(r).end());
    add_scaled(apart, y.row(r), -1);
    const double size = static_cast<double>(dot(y.row(r), y.row(r)));
    if (size > 0) sum += static_cast<double>(dot(apart, apart)) / size;
  }
  return sum;
}

// A quarter for every bit more than two.
double pace_of(const LearnedMatrix& matrix) {
  const RowReader& rows = matrix.coded();
  const double bits = matrix.grid().bits_per_weight(rows.rows(), rows.cols());
  return portable_exp(std::min(2 * (2 - bits), 0.0) * std::numbers::ln2);
}

// x becomes the gradient of distance(x, y) / tokens.
void distance_gradient(View2D<float> x, Matrix y, double tokens) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    add_scaled(x.row(r), y.row(r), -1);
    const double size = static_cast<double>(dot(y.row(r), y.row(r)));
    scale(x.row(r), size > 0 ? static_cast<float>(2 / (size * tokens)) : 0.0f);
  }
}

class Refinement {
 public:
  Refinement(const Model& teacher, const Model& student, std::span<const TrainedWeight> weights,
             TokenWindows windows, TokenWindows held_out, const RefineOptions& options,
             const Team& team, Progress& progress)
      : weights_(weights),
        learned_(windows.size()),
        length_(std::ssize(windows.front())),
        options_(options),
        team_(team),
        progress_(progress),
        teacher_(teacher, team),
        plain_(student, team),
        engine_(student, team),
        theirs_(teacher_, spans_of(windows, held_out)),
        as_it_was_(plain_, held_out.empty() ? spans_of(windows, {}) : spans_of(held_out, {})),
        ours_(engine_, spans_of(windows, held_out)) {
    out_.matrices.resize(weights.size());
    const auto layers = std::ssize(engine_.network().layers);
    progress_.stage(
        "refine",
        refine_tokens(layers, length_, std::ssize(windows), std::ssize(held_out), options),
        "tokens");
  }

  Refined run() && {
    const auto layers = std::ssize(engine_.network().layers);
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      theirs_.advance();
      as_it_was_.advance();
      std::vector<TrainedWeight> of_layer;
      std::vector<std::size_t> places;
      for (std::size_t i = 0; i < weights_.size(); ++i) {
        if (weights_[i].place.layer != layer) continue;
        of_layer.push_back(weights_[i]);
        places.push_back(i);
      }
      if (!of_layer.empty()) {
        Learner::Matrices made = refined(layer, of_layer);
        for (std::size_t i = 0; i < places.size(); ++i) {
          made[i]->stop_learning();
          out_.matrices[places[i]] = std::move(made[i]);
        }
      }
      ours_.advance();
      progress_.advance(length_ * static_cast<std::int64_t>(ours_.windows()));
    }
    out_.before = mean([&](std::size_t i) { return as_it_was_.left(i - first_look()); });
    out_.after = mean([&](std::size_t i) { return ours_.left(i); });
    return std::move(out_);
  }

 private:
  // Windows from there on are looked at: those held out, where there are any.
  std::size_t first_look() const { return learned_ == ours_.windows() ? 0 : learned_; }

  // Over the tokens that are looked at, the distance of what a window gives.
  template <class Given>
  double mean(const Given& given) const {
    double sum = 0;
    for (std::size_t i = first_look(); i < ours_.windows(); ++i)
      sum += distance(given(i), theirs_.left(i));
    return sum /
           static_cast<double>(length_ * static_cast<std::int64_t>(ours_.windows() - first_look()));
  }

  Learner::Matrices refined(std::int64_t layer, std::span<const TrainedWeight> weights) {
    Learner learner(weights, options_.learned, team_);
    learner.set_pace(pace_of);
    learner.attach(engine_);
    const std::int64_t steps = options_.schedule.steps_of(static_cast<std::int64_t>(learned_));
    RefinedLayer found{layer, look(), 0};
    found.after = found.before;
    learner.keep();
    each_step(
        options_.schedule, learned_, looks_of(steps),
        [&](std::span<const std::size_t> batch, std::int64_t step) {
          learn(batch, layer, step, learner);
          learner.update(options_.schedule.rate, step, steps);
        },
        [&](std::int64_t) {
          const double now = look();
          if (!(now < found.after)) return;
          found.after = now;
          learner.keep();
        });
    learner.restore();
    progress_.remark(
        fmt::format("layer {}: {:.5f} of its output's square off on text held out, {:.5f} before",
                    layer, found.after, found.before));
    out_.layers.push_back(found);
    return std::move(learner).release();
  }

  double look() {
    const std::vector<ValueId> wanted = {ours_.leaves()};
    const double found = mean([&](std::size_t i) {
      looked_ = ours_.computed(i, wanted);
      return looked_.begin()->second.view();
    });
    progress_.advance(length_ * static_cast<std::int64_t>(ours_.windows() - first_look()));
    return found;
  }

  void learn(std::span<const std::size_t> batch, std::int64_t layer, std::int64_t step,
             Learner& learner) {
    learner.clear_gradients();
    const auto tokens = static_cast<double>(length_ * std::ssize(batch));
    const std::vector<ValueId> all = ours_.all_values();
    double sum = 0;
    for (const std::size_t i : batch) {
      const LayerWalk::Values values = ours_.computed(i, all);
      Activations out = engine_.copy_of(values.at(ours_.leaves()).view());
      sum += distance(out.view(), theirs_.left(i));
      distance_gradient(out.view(), theirs_.left(i), tokens);
      ours_.backward(i, values, std::move(out), learner);
      progress_.advance(length_);
    }
    if (!std::isfinite(sum))
      throw Error("refinement", "the loss is no number", "a smaller rate",
                  fmt::format("layer {}, step {}", layer, step));
  }

  std::span<const TrainedWeight> weights_;
  std::size_t learned_;  // windows that are learned from, before those held out
  std::int64_t length_;
  RefineOptions options_;
  const Team& team_;
  Progress& progress_;
  Engine teacher_;
  Engine plain_;
  Engine engine_;
  LayerWalk theirs_;
  LayerWalk as_it_was_;  // of the windows that are looked at
  LayerWalk ours_;
  LayerWalk::Values looked_;
  Refined out_;
};

}  // namespace

std::int64_t refine_tokens(std::int64_t layers, std::int64_t length, std::int64_t learned,
                           std::int64_t held_out, const RefineOptions& options) {
  const Schedule& schedule = options.schedule;
  const std::int64_t looks = looks_of(schedule.steps_of(learned)) + 1;
  return layers * length *
         (schedule.learned(learned) + learned + held_out +
          looks * (held_out > 0 ? held_out : learned));
}

std::int64_t refine_bytes(const Model& model, std::int64_t length, std::int64_t windows,
                          int threads) {
  const Network network = record(model);
  std::int64_t kept = 0;
  for (const LayerValues& layer : network.layers) {
    std::int64_t floats = 0;
    for (const ValueId value : needed_behind(network, layer.leaves))
      floats += network.steps[value].width * network.steps[value].rows;
    kept = std::max(kept, floats);
  }
  constexpr std::int64_t kModels = 3;
  return kModels * (windows * length * kept * static_cast<std::int64_t>(sizeof(float)) +
                    KvCache::bytes(model.decoder, length)) +
         WholePass::bytes(model, length, threads);
}

Refined refine(const Model& teacher, const Model& student, std::span<const TrainedWeight> weights,
               TokenWindows windows, TokenWindows held_out, const RefineOptions& options,
               const Team& team, Progress& progress) {
  return Refinement(teacher, student, weights, windows, held_out, options, team, progress).run();
}

}  // namespace zp
