#include "judge/evaluate.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace zp {
namespace {

constexpr std::int64_t kTokensTogether = 512;   // through the network, from one or more windows
constexpr std::int64_t kLogitFloats = 1 << 22;  // of one model at a time: 16 MiB

// One model going over some windows at once.
class Side {
 public:
  Side(Engine& engine, std::int64_t windows, std::int64_t context) : engine_(engine) {
    for (std::int64_t i = 0; i < windows; ++i) caches_.push_back(engine.make_cache(context));
  }

  void read(std::span<const std::vector<std::int32_t>> windows) {
    std::vector<Chunk> chunks;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      caches_[i].truncate(0);
      chunks.push_back({&caches_[i], windows[i]});
    }
    hidden_ = engine_.forward(chunks);
  }

  Activations logits(std::int64_t begin, std::int64_t count) {
    return engine_.logits(hidden_.view().rows_from(begin, count));
  }

 private:
  Engine& engine_;
  std::vector<KvCache> caches_;
  Activations hidden_;
};

using Engines = std::span<const std::unique_ptr<Engine>>;

void check_sizes(Engines engines, const Engine& reference) {
  const std::int64_t theirs = reference.model().decoder.vocabulary;
  for (const auto& engine : engines) {
    const std::int64_t ours = engine->model().decoder.vocabulary;
    if (ours == theirs) continue;
    throw Error("models", "vocabularies differ in size", std::to_string(theirs),
                std::to_string(ours));
  }
}

using Ids = std::vector<std::int32_t>;
using AllScores = std::vector<std::vector<TokenScore>>;

class Evaluation {
 public:
  Evaluation(Engines engines, Engine* reference, const ScoredText& text, const Team& team)
      : text_(text),
        team_(team),
        count_(text.count()),
        together_(std::clamp(kTokensTogether / text.context, std::int64_t{1}, count_)) {
    for (const auto& engine : engines) {
      sides_.emplace_back(*engine, together_, text.context);
      scores_.emplace_back(static_cast<std::size_t>(count_ * text.scored()));
      const std::int64_t rows = kLogitFloats / engine->model().decoder.vocabulary;
      step_ = std::clamp(rows, std::int64_t{1}, text.scored());
    }
    if (reference != nullptr) reference_.emplace(*reference, together_, text.context);
  }

  AllScores run(Progress& progress) && {
    progress.stage("evaluate", count_ * text_.context, "tokens");
    for (std::int64_t first = 0; first < count_; first += together_) {
      std::vector<Ids> ids;
      for (std::int64_t i = first; i < std::min(count_, first + together_); ++i)
        ids.push_back(text_.window(i));
      for (Side& side : sides_) side.read(ids);
      if (reference_) reference_->read(ids);
      for (std::int64_t w = 0; w < static_cast<std::int64_t>(ids.size()); ++w) {
        score_window(ids[static_cast<std::size_t>(w)], w, (first + w) * text_.scored());
        progress.advance(text_.context);
      }
    }
    return std::move(scores_);
  }

 private:
  // w: the window's place among those that went through together; place: of its first score.
  void score_window(const Ids& ids, std::int64_t w, std::int64_t place) {
    for (std::int64_t s = 0; s < text_.scored(); s += step_) {
      const std::int64_t rows = std::min(step_, text_.scored() - s);
      const std::int64_t at = text_.first_scored() + s;
      const std::int64_t begin = w * text_.context + at;
      const Activations expected = reference_ ? reference_->logits(begin, rows) : Activations();
      for (std::size_t i = 0; i < sides_.size(); ++i) {
        const Activations logits = sides_[i].logits(begin, rows);
        team_.run(rows, [&](std::int64_t r) {
          const std::int32_t token = ids[static_cast<std::size_t>(at + r + 1)];
          scores_[i][static_cast<std::size_t>(place + s + r)] =
              reference_ ? score(expected.view().row(r), logits.view().row(r), token)
                         : score(logits.view().row(r), token);
        });
      }
    }
  }

  const ScoredText& text_;
  const Team& team_;
  std::int64_t count_;     // of windows; checked before anything is divided by their length
  std::int64_t together_;  // windows that go through the network at a time
  std::int64_t step_ = 1;  // rows of logits at a time
  std::vector<Side> sides_;
  std::optional<Side> reference_;
  AllScores scores_;
};

}  // namespace

std::int64_t ScoredText::count() const {
  const auto length = static_cast<std::int64_t>(tokens.size());
  if (context < 5)  // two scored tokens, so that there is a standard error
    throw Error("context", "too short", "at least 5 tokens", std::to_string(context));
  if (length < context) {
    throw Error("text", "shorter than one window",
                "at least " + std::to_string(context) + " tokens", std::to_string(length));
  }
  return length / context;
}

std::vector<std::int32_t> ScoredText::window(std::int64_t index) const {
  const auto part =
      tokens.subspan(static_cast<std::size_t>(index * context), static_cast<std::size_t>(context));
  std::vector<std::int32_t> ids(part.begin(), part.end());
  if (bos) ids.front() = *bos;
  return ids;
}

AllScores evaluate(Engines engines, Engine* reference, const ScoredText& text, const Team& team,
                   Progress& progress) {
  if (reference != nullptr) check_sizes(engines, *reference);
  return Evaluation(engines, reference, text, team).run(progress);
}

}  // namespace zp
