// The tokens at which a model is farthest from its reference.
#pragma once

#include <cstdint>
#include <vector>

#include "judge/evaluate.h"

namespace zp {

struct WorstToken {
  std::int64_t window = 0;  ///< index into ScoredText::tokens of the first token of the window
  std::int64_t token = 0;   ///< index of the token they were to predict
  TokenScore score;
};

/// The `count` largest divergences (fewer if there aren't as many), largest first; of equal ones
/// the earlier. scores: those of evaluate(). Memory is for `count` of them.
std::vector<WorstToken> worst_tokens(const std::vector<TokenScore>& scores, const ScoredText& text,
                                     std::size_t count);

}  // namespace zp
