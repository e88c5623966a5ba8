// Judges models on a text, alone or beside a reference.
//
// Windows of `context` tokens follow each other over the whole stream; a last incomplete one is
// left out. Where the model begins its texts with BOS, the first token of each window is replaced
// by it. The second half of each window is scored: logits of positions context / 2 up to the last
// but one predict the tokens behind them. llama.cpp's perplexity tool does the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/progress.h"
#include "engine/engine.h"
#include "judge/scores.h"

namespace zp {

/// The tokens of a text, and how they are cut into windows.
struct ScoredText {
  std::span<const std::int32_t> tokens;
  std::int64_t context = 512;
  std::optional<std::int32_t> bos;

  /// Throws Error when there is not one whole window, or fewer than five tokens in it.
  std::int64_t count() const;
  std::vector<std::int32_t> window(std::int64_t index) const;
  std::int64_t first_scored() const { return context / 2; }
  std::int64_t scored() const { return context - 1 - first_scored(); }  ///< per window
};

/// For each engine the scores of all windows' second halves in order. reference: may be null; all
/// run side by side and logits are held for some rows at a time. Vocabularies must have the same
/// size, else Error.
std::vector<std::vector<TokenScore>> evaluate(std::span<const std::unique_ptr<Engine>> engines,
                                              Engine* reference, const ScoredText& text,
                                              const Team& team, Progress& progress);

}  // namespace zp
