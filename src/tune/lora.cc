#include "tune/lora.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "base/memory.h"
#include "base/random.h"
#include "kernel/distribution.h"
#include "kernel/functions.h"
#include "tune/adamw.h"
#include "tune/whole_pass.h"

namespace zp {
namespace {

constexpr std::int64_t kLooks = 8;
constexpr double kLongestGradient = 1;
constexpr AdamOptions kAdam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};

std::int64_t looks_of(std::int64_t steps) { return std::min(kLooks, steps); }

std::int64_t tokens_of(std::span<const Lesson> lessons) {
  std::int64_t sum = 0;
  for (const Lesson& lesson : lessons) sum += std::ssize(lesson.ids);
  return sum;
}

/// Numbers that are trained together.
struct Trained {
  explicit Trained(std::vector<float>& of)
      : values(of), gradient(of.size()), state(of.size()), best(of) {}
  std::vector<float>& values;
  std::vector<float> gradient;
  Adam state;
  std::vector<float> best;
};

class Training final : public WeightGradients {
 public:
  Training(const Model& model, std::span<const Place> places, std::span<const Lesson> lessons,
           std::span<const Lesson> held_out, const LoraOptions& options, const Team& team,
           Progress& progress)
      : lessons_(lessons),
        held_out_(held_out.empty() ? lessons : held_out),
        options_(options),
        team_(team),
        progress_(progress),
        random_(options.schedule.seed),
        engine_(model, team),
        pass_(engine_) {
    out_.steps = options.schedule.steps_of(std::ssize(lessons));
    for (const Place place : places) out_.adapters.push_back(begun(*model.find(place)));
    for (Adapter& adapter : out_.adapters) {
      parts_.emplace(adapter.place, std::pair(Trained(adapter.a), Trained(adapter.b)));
      const auto [low_rank, is_new] = low_ranks_.emplace(adapter.place, adapter.low_rank());
      engine_.adapt(adapter.place, low_rank->second);
    }
  }

  LoraResult run() && {
    progress_.stage("tune", lora_tokens(lessons_, held_out_, options_), "tokens");
    look(0);
    if (!std::isfinite(out_.looks.front().held_out))
      throw Error("training", "the loss is no number before anything is learned");
    each_step(
        options_.schedule, lessons_.size(), looks_of(out_.steps),
        [&](std::span<const std::size_t> batch, std::int64_t step) {
          if (!out_.stopped) learn(batch, step);
        },
        [&](std::int64_t step) {
          if (!out_.stopped) look(step);
        });
    each_part([](Trained& part) { part.values = part.best; });
    return std::move(out_);
  }

  bool wants(Place) const override { return false; }
  void add_rows(Place, std::int64_t, Matrix) override {}
  void add_norm(Place, Floats) override {}
  void add_adapter(Place place, const LowRankGradient& gradient) override {
    own_memory_peak();  // a layer's values and their gradients are all there
    auto& [a, b] = parts_.at(place);
    add(a.gradient, gradient.a);
    add(b.gradient, gradient.b);
  }

 private:
  Adapter begun(const Weight& weight) {
    Adapter out;
    out.place = weight.use.place;
    out.rank = options_.rank;
    out.inputs = weight.use.cols;
    out.outputs = weight.use.rows;
    out.scale = static_cast<float>(options_.alpha / static_cast<double>(options_.rank));
    const double most = 1 / std::sqrt(static_cast<double>(out.inputs));
    out.a.resize(static_cast<std::size_t>(out.rank * out.inputs));
    for (float& v : out.a) v = static_cast<float>(most * (2 * random_.uniform() - 1));
    out.b.resize(static_cast<std::size_t>(out.outputs * out.rank));
    return out;
  }

  template <class F>
  void each_part(const F& f) {
    for (auto& [place, parts] : parts_) {
      f(parts.first);
      f(parts.second);
    }
  }

  // The sum of -log q over what of these tokens is to be said; logits become their gradients, divided by
  // `tokens`.
  double losses(const Lesson& lesson, std::int64_t begin, View2D<float> logits, double tokens) {
    std::vector<double> found(static_cast<std::size_t>(logits.rows));
    const auto share = static_cast<float>(1 / tokens);
    team_.run(logits.rows, [&](std::int64_t r) {
      const std::span<float> row = logits.row(r);
      const std::int64_t next = begin + r + 1;
      if (next < lesson.said || next == std::ssize(lesson.ids)) {
        std::ranges::fill(row, 0.0f);
        return;
      }
      const auto id = static_cast<std::size_t>(lesson.ids[static_cast<std::size_t>(next)]);
      found[static_cast<std::size_t>(r)] = log_sum(row) - static_cast<double>(row[id]);
      softmax(row);
      row[id] -= 1;
      scale(row, share);
    });
    return std::accumulate(found.begin(), found.end(), 0.0);
  }

  void learn(std::span<const std::size_t> batch, std::int64_t step) {
    each_part([](Trained& part) { std::ranges::fill(part.gradient, 0.0f); });
    double count = 0;
    for (const std::size_t i : batch) count += static_cast<double>(lessons_[i].tokens_said());
    double sum = 0;
    for (const std::size_t i : batch) {
      pass_.forward(lessons_[i].ids);
      pass_.backward(
          [&](std::int64_t begin, View2D<float> logits) {
            sum += losses(lessons_[i], begin, logits, count);
          },
          *this);
      progress_.advance(std::ssize(lessons_[i].ids));
    }
    const double length = shorten_gradient();
    if (!std::isfinite(sum) || !std::isfinite(length)) return stop(batch, step);
    since_look_.push_back(sum / count);
    each_part([&](Trained& part) {
      part.state.update(part.values, part.gradient, rate_of(step), step, kAdam);
    });
  }

  double rate_of(std::int64_t step) const {
    return step == 0 ? 0 : rate_of_step(options_.schedule.rate, step, out_.steps);
  }

  // Its length before.
  double shorten_gradient() {
    double squares = 0;
    each_part([&](Trained& part) {
      for (const float g : part.gradient) squares += static_cast<double>(g) * g;
    });
    const double length = std::sqrt(squares);
    if (length <= kLongestGradient) return length;
    const auto factor = static_cast<float>(kLongestGradient / length);
    each_part([&](Trained& part) { scale(part.gradient, factor); });
    return length;
  }

  void stop(std::span<const std::size_t> batch, std::int64_t step) {
    std::string documents;
    for (const std::size_t i : batch)
      documents += fmt::format("{}{}", documents.empty() ? "" : ", ", lessons_[i].document);
    out_.stopped.emplace("training", "the loss is no number", "a smaller `rate`, or other text",
                         fmt::format("step {} of {}, on document{} {}", step, out_.steps,
                                     batch.size() > 1 ? "s" : "", documents));
    if (out_.best == 0) throw Error(*out_.stopped);
  }

  void look(std::int64_t step) {
    double sum = 0;
    double count = 0;
    for (const Lesson& lesson : held_out_) {
      pass_.forward(lesson.ids);
      pass_.score([&](std::int64_t begin, View2D<float> logits) {
        sum += losses(lesson, begin, logits, 1);
      });
      count += static_cast<double>(lesson.tokens_said());
      progress_.advance(std::ssize(lesson.ids));
    }
    LoraLook found{step, rate_of(step), {}, sum / count};
    if (!since_look_.empty())
      found.loss = std::accumulate(since_look_.begin(), since_look_.end(), 0.0) /
                   static_cast<double>(since_look_.size());
    since_look_.clear();
    out_.looks.push_back(found);
    progress_.remark(fmt::format(
        "step {}: loss {:.4f} on what is held out{}", step, found.held_out,
        found.loss
            ? fmt::format(", {:.4f} on what is learned, rate {:.2g}", *found.loss, found.rate)
            : ""));
    if (out_.looks.size() > 1 && !(found.held_out < out_.looks[out_.best].held_out)) return;
    out_.best = out_.looks.size() - 1;
    each_part([](Trained& part) { part.best = part.values; });
  }

  std::span<const Lesson> lessons_;
  std::span<const Lesson> held_out_;
  LoraOptions options_;
  const Team& team_;
  Progress& progress_;
  Random random_;
  Engine engine_;
  WholePass pass_;
  LoraResult out_;
  std::map<Place, std::pair<Trained, Trained>> parts_;  // A and B
  std::map<Place, LowRank> low_ranks_;
  std::vector<double> since_look_;
};

}  // namespace

std::int64_t lora_tokens(std::span<const Lesson> lessons, std::span<const Lesson> held_out,
                         const LoraOptions& options) {
  const std::int64_t looks = looks_of(options.schedule.steps_of(std::ssize(lessons))) + 1;
  return options.schedule.passes * tokens_of(lessons) +
         looks * tokens_of(held_out.empty() ? lessons : held_out);
}

std::int64_t lora_bytes(const Model& model, std::span<const Place> places, std::int64_t longest,
                        std::int64_t rank, int threads) {
  constexpr std::int64_t kOfEach = 5;  // value, gradient, both moments, the best
  std::int64_t floats = 0;
  std::int64_t widest = 0;
  for (const Place place : places) {
    const TensorUse& use = model.find(place)->use;
    floats += kOfEach * rank * (use.rows + use.cols);
    widest = std::max(widest, use.rows + use.cols);
  }
  // Of one gradient: both matrices, turned ones, what stands between them for each token.
  floats += 2 * rank * widest + 4 * rank * longest;
  return floats * static_cast<std::int64_t>(sizeof(float)) +
         KvCache::bytes(model.decoder, longest) + WholePass::bytes(model, longest, threads);
}

LoraResult train_lora(const Model& model, std::span<const Place> places,
                      std::span<const Lesson> lessons, std::span<const Lesson> held_out,
                      const LoraOptions& options, const Team& team, Progress& progress) {
  return Training(model, places, lessons, held_out, options, team, progress).run();
}

}  // namespace zp
