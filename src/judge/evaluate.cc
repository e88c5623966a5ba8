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
    return engine_.logits(hidden_, begin, count);
  }

 private:
  Engine& engine_;
  std::vector<KvCache> caches_;
  Activations hidden_;
};

void check_vocabularies(const Engine& engine, const Engine* reference) {
  if (reference == nullptr) return;
  const std::int64_t ours = engine.model().decoder.vocabulary;
  const std::int64_t theirs = reference->model().decoder.vocabulary;
  if (ours == theirs) return;
  throw Error("models", "vocabularies differ in size", std::to_string(theirs),
              std::to_string(ours));
}

}  // namespace

std::int64_t Windows::count() const {
  const auto length = static_cast<std::int64_t>(tokens.size());
  if (context < 4)
    throw Error("context", "too short", "at least 4 tokens", std::to_string(context));
  if (length < context) {
    throw Error("text", "shorter than one window",
                "at least " + std::to_string(context) + " tokens", std::to_string(length));
  }
  return length / context;
}

std::vector<std::int32_t> Windows::window(std::int64_t index) const {
  const auto part =
      tokens.subspan(static_cast<std::size_t>(index * context), static_cast<std::size_t>(context));
  std::vector<std::int32_t> ids(part.begin(), part.end());
  if (bos) ids.front() = *bos;
  return ids;
}

std::vector<TokenScore> evaluate(Engine& engine, Engine* reference, const Windows& windows,
                                 const Team& team, Progress& progress) {
  check_vocabularies(engine, reference);
  const std::int64_t count = windows.count();
  const std::int64_t together =
      std::clamp(kTokensTogether / windows.context, std::int64_t{1}, count);
  const std::int64_t scored = windows.scored();
  const std::int64_t step =
      std::clamp(kLogitFloats / engine.model().decoder.vocabulary, std::int64_t{1}, scored);
  Side side(engine, together, windows.context);
  std::optional<Side> beside;
  if (reference != nullptr) beside.emplace(*reference, together, windows.context);

  std::vector<TokenScore> scores(static_cast<std::size_t>(count * scored));
  progress.stage("evaluate", count * windows.context, "tokens");
  for (std::int64_t first = 0; first < count; first += together) {
    std::vector<std::vector<std::int32_t>> ids;
    for (std::int64_t i = first; i < std::min(count, first + together); ++i)
      ids.push_back(windows.window(i));
    side.read(ids);
    if (beside) beside->read(ids);
    for (std::size_t w = 0; w < ids.size(); ++w) {
      for (std::int64_t s = 0; s < scored; s += step) {
        const std::int64_t rows = std::min(step, scored - s);
        const std::int64_t at = windows.first_scored() + s;
        const std::int64_t row = static_cast<std::int64_t>(w) * windows.context + at;
        const Activations logits = side.logits(row, rows);
        const Activations expected = beside ? beside->logits(row, rows) : Activations();
        team.run(rows, [&](std::int64_t r) {
          const std::int32_t token = ids[w][static_cast<std::size_t>(at + r + 1)];
          const std::int64_t place = (first + static_cast<std::int64_t>(w)) * scored + s + r;
          scores[static_cast<std::size_t>(place)] =
              beside ? score(expected.view().row(r), logits.view().row(r), token)
                     : score(logits.view().row(r), token);
        });
      }
      progress.advance(windows.context);
    }
  }
  return scores;
}

}  // namespace zp
