#include "tune/distill.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "kernel/distribution.h"
#include "kernel/functions.h"
#include "tune/whole_pass.h"

namespace zp {
namespace {

constexpr std::int64_t kLooks = 8;

std::int64_t looks_of(std::int64_t steps) { return std::min(kLooks, steps); }

// What the float model says of each window: what leaves its last layer.
class Teacher {
 public:
  Teacher(const Model& model, const Team& team) : engine_(model, team) {}

  std::vector<float> hidden(const std::vector<std::int32_t>& window) {
    KvCache cache = engine_.make_cache(std::ssize(window));
    const Chunk chunk{&cache, window};
    const Activations rows = engine_.forward({&chunk, 1});
    std::vector<float> out;
    for (std::int64_t r = 0; r < rows.rows(); ++r)
      out.insert(out.end(), rows.view().row(r).begin(), rows.view().row(r).end());
    return out;
  }
  Activations logits(const std::vector<float>& hidden, std::int64_t begin, std::int64_t count) {
    const std::int64_t width = engine_.model().decoder.hidden;
    return engine_.logits({hidden.data() + begin * width, count, width});
  }

 private:
  Engine engine_;
};

class Distillation {
 public:
  Distillation(const Model& teacher, const Model& student, std::span<const TrainedWeight> weights,
               TokenWindows windows, TokenWindows held_out, const DistillOptions& options,
               const Team& team, Progress& progress)
      : windows_(windows),
        held_out_(held_out.empty() ? windows : held_out),
        options_(options),
        team_(team),
        progress_(progress),
        teacher_(teacher, team),
        engine_(student, team),
        pass_(engine_),
        learner_(weights, options.learned, team) {}

  Distilled run() && {
    const Schedule& schedule = options_.schedule;
    const std::int64_t steps = schedule.steps_of(std::ssize(windows_));
    progress_.stage("distill",
                    distill_tokens(std::ssize(windows_.front()), std::ssize(windows_),
                                   std::ssize(held_out_), options_),
                    "tokens");
    for (const auto& window : windows_) hidden_.push_back(teacher_.hidden(window));
    if (held_out_.data() != windows_.data())
      for (const auto& window : held_out_) hidden_held_out_.push_back(teacher_.hidden(window));
    look(0);
    learner_.attach(engine_);
    each_step(
        schedule, windows_.size(), looks_of(steps),
        [&](std::span<const std::size_t> batch, std::int64_t step) { learn(batch, step, steps); },
        [&](std::int64_t step) { look(step); });
    learner_.restore();
    out_.matrices = std::move(learner_).release();
    return std::move(out_);
  }

 private:
  // Sum over the tokens; logits become their gradients, divided by `tokens`.
  double diverge(const std::vector<float>& hidden, std::int64_t begin, View2D<float> logits,
                 double tokens) {
    const Activations theirs = teacher_.logits(hidden, begin, logits.rows);
    std::vector<double> found(static_cast<std::size_t>(logits.rows));
    const auto share = static_cast<float>(1 / tokens);
    team_.run(logits.rows, [&](std::int64_t r) {
      thread_local std::vector<float> p;
      const std::span<float> q = logits.row(r);
      p.assign(theirs.view().row(r).begin(), theirs.view().row(r).end());
      found[static_cast<std::size_t>(r)] = divergence(p, q).kl;
      softmax(p);
      softmax(q);
      for (std::size_t i = 0; i < q.size(); ++i) q[i] = (q[i] - p[i]) * share;
    });
    return std::accumulate(found.begin(), found.end(), 0.0);
  }

  void learn(std::span<const std::size_t> batch, std::int64_t step, std::int64_t steps) {
    learner_.clear_gradients();
    std::int64_t count = 0;
    for (const std::size_t i : batch) count += std::ssize(windows_[i]);
    double sum = 0;
    for (const std::size_t i : batch) {
      pass_.forward(windows_[i]);
      pass_.backward(
          [&](std::int64_t begin, View2D<float> logits) {
            sum += diverge(hidden_[i], begin, logits, static_cast<double>(count));
          },
          learner_);
      progress_.advance(std::ssize(windows_[i]));
    }
    const double loss = sum / static_cast<double>(count);
    if (!std::isfinite(loss))
      throw Error("distillation", "the loss is no number", "a smaller rate",
                  fmt::format("step {} of {}", step, steps));
    since_look_.push_back(loss);
    learner_.update(options_.schedule.rate, step, steps);
  }

  void look(std::int64_t step) {
    double sum = 0;
    double count = 0;
    const auto& hidden = hidden_held_out_.empty() ? hidden_ : hidden_held_out_;
    for (std::size_t i = 0; i < held_out_.size(); ++i) {
      pass_.forward(held_out_[i]);
      pass_.score([&](std::int64_t begin, View2D<float> logits) {
        sum += diverge(hidden[i], begin, logits, 1);
      });
      count += static_cast<double>(held_out_[i].size());
      progress_.advance(std::ssize(held_out_[i]));
    }
    DistillLook found{step, {}, sum / count};
    if (!since_look_.empty())
      found.loss = std::accumulate(since_look_.begin(), since_look_.end(), 0.0) /
                   static_cast<double>(since_look_.size());
    since_look_.clear();
    out_.looks.push_back(found);
    const std::string learned =
        found.loss ? fmt::format(", {:.5f} on what is learned", *found.loss) : "";
    progress_.remark(fmt::format("step {}: KL divergence {:.5f} on text held out{}", step,
                                 found.held_out, learned));
    if (out_.looks.size() > 1 && !(found.held_out < out_.looks[out_.best].held_out)) return;
    out_.best = out_.looks.size() - 1;
    learner_.keep();
  }

  TokenWindows windows_;
  TokenWindows held_out_;
  DistillOptions options_;
  const Team& team_;
  Progress& progress_;
  Teacher teacher_;
  Engine engine_;
  WholePass pass_;
  Learner learner_;
  std::vector<std::vector<float>> hidden_;           // of the teacher, of each window
  std::vector<std::vector<float>> hidden_held_out_;  // empty: nothing is held out
  std::vector<double> since_look_;
  Distilled out_;
};

}  // namespace

std::int64_t distill_tokens(std::int64_t length, std::int64_t learned, std::int64_t held_out,
                            const DistillOptions& options) {
  const Schedule& schedule = options.schedule;
  const std::int64_t looks = looks_of(schedule.steps_of(learned)) + 1;
  return length * (schedule.learned(learned) + looks * (held_out > 0 ? held_out : learned));
}

std::int64_t distill_bytes(const Model& model, std::int64_t length, std::int64_t windows,
                           int threads) {
  constexpr std::int64_t kFloat = sizeof(float);
  const std::int64_t of_teacher = windows * length * model.decoder.hidden * kFloat;
  return of_teacher + 2 * KvCache::bytes(model.decoder, length) +
         WholePass::bytes(model, length, threads);
}

Distilled distill(const Model& teacher, const Model& student,
                  std::span<const TrainedWeight> weights, TokenWindows windows,
                  TokenWindows held_out, const DistillOptions& options, const Team& team,
                  Progress& progress) {
  return Distillation(teacher, student, weights, windows, held_out, options, team, progress).run();
}

}  // namespace zp
