#include "tune/distill.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/checked.h"
#include "base/error.h"
#include "base/random.h"
#include "kernel/distribution.h"
#include "kernel/functions.h"
#include "tune/adamw.h"
#include "tune/whole_pass.h"

namespace zp {
namespace {

constexpr std::int64_t kLooks = 8;

std::int64_t looks_of(std::int64_t steps) { return std::min(kLooks, steps); }

std::int64_t tokens_of(TokenWindows windows) {
  return windows.empty() ? 0 : std::ssize(windows) * std::ssize(windows.front());
}

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

class Distillation final : public WeightGradients {
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
        pass_(engine_) {
    for (const TrainedWeight& weight : weights) {
      index_.emplace(weight.place, out_.matrices.size());
      out_.matrices.push_back(
          std::make_unique<LearnedMatrix>(weight.grid, *weight.start, options.learned));
      for (const auto& group : out_.matrices.back()->groups())
        states_.emplace_back(group.values.size());
    }
  }

  Distilled run() && {
    const std::int64_t batches = ceil_div(std::ssize(windows_), options_.batch);
    const std::int64_t steps = batches * options_.passes;
    const std::int64_t looks = looks_of(steps);
    progress_.stage(
        "distill",
        distill_tokens(tokens_of(windows_), tokens_of(held_out_), std::ssize(windows_), options_),
        "tokens");
    for (const auto& window : windows_) hidden_.push_back(teacher_.hidden(window));
    if (held_out_.data() != windows_.data())
      for (const auto& window : held_out_) hidden_held_out_.push_back(teacher_.hidden(window));
    look(0);
    for (const auto& [place, index] : index_) {
      out_.matrices[index]->code(team_);
      engine_.replace(place, out_.matrices[index]->coded());
    }
    Random random(options_.seed);
    std::int64_t step = 0;
    for (std::int64_t pass = 0; pass < options_.passes; ++pass) {
      const std::vector<std::size_t> order = shuffled(random);
      for (std::int64_t batch = 0; batch < batches; ++batch) {
        const auto begin = static_cast<std::size_t>(batch * options_.batch);
        const std::size_t end =
            std::min(order.size(), begin + static_cast<std::size_t>(options_.batch));
        learn(std::span(order).subspan(begin, end - begin), ++step, steps);
        if (step * looks / steps > (step - 1) * looks / steps) look(step);
      }
    }
    restore();
    return std::move(out_);
  }

  bool wants(Place place) const override { return index_.contains(place); }
  void add_rows(Place place, std::int64_t begin, Matrix gradient) override {
    out_.matrices[index_.at(place)]->add_gradient(begin, gradient);
  }
  void add_norm(Place, Floats) override {}

 private:
  std::vector<std::size_t> shuffled(Random& random) const {
    std::vector<std::size_t> order(windows_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
    return order;
  }

  // f(values, gradients, state) of every group.
  template <class F>
  void each_group(const F& f) {
    std::size_t at = 0;
    for (const auto& matrix : out_.matrices) {
      for (const auto& group : matrix->groups()) f(group, states_[at++]);
    }
  }

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
    each_group([](const auto& group, Adam&) { std::ranges::fill(group.gradients, 0.0f); });
    std::int64_t count = 0;
    for (const std::size_t i : batch) count += std::ssize(windows_[i]);
    double sum = 0;
    for (const std::size_t i : batch) {
      pass_.forward(windows_[i]);
      pass_.backward(
          [&](std::int64_t begin, View2D<float> logits) {
            sum += diverge(hidden_[i], begin, logits, static_cast<double>(count));
          },
          *this);
      progress_.advance(std::ssize(windows_[i]));
    }
    const double loss = sum / static_cast<double>(count);
    if (!std::isfinite(loss))
      throw Error("distillation", "the loss is no number", "a smaller rate",
                  fmt::format("step {} of {}", step, steps));
    since_look_.push_back(loss);
    const double rate = rate_of_step(options_.rate, step, steps);
    each_group([&](const auto& group, Adam& adam) {
      adam.update(group.values, group.gradients, rate, step);
    });
    for (const auto& matrix : out_.matrices) matrix->code(team_);
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
    best_.clear();
    each_group([&](const auto& group, Adam&) {
      best_.emplace_back(group.values.begin(), group.values.end());
    });
  }

  void restore() {
    std::size_t at = 0;
    each_group(
        [&](const auto& group, Adam&) { std::ranges::copy(best_[at++], group.values.begin()); });
    for (const auto& matrix : out_.matrices) matrix->code(team_);
  }

  TokenWindows windows_;
  TokenWindows held_out_;
  DistillOptions options_;
  const Team& team_;
  Progress& progress_;
  Teacher teacher_;
  Engine engine_;
  WholePass pass_;
  std::map<Place, std::size_t> index_;
  std::vector<Adam> states_;
  std::vector<std::vector<float>> hidden_;           // of the teacher, of each window
  std::vector<std::vector<float>> hidden_held_out_;  // empty: nothing is held out
  std::vector<double> since_look_;
  std::vector<std::vector<float>> best_;
  Distilled out_;
};

}  // namespace

std::int64_t distill_tokens(std::int64_t learned, std::int64_t held_out, std::int64_t windows,
                            const DistillOptions& options) {
  const std::int64_t steps = ceil_div(windows, options.batch) * options.passes;
  return options.passes * learned + (looks_of(steps) + 1) * held_out;
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
