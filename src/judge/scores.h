// What a model's answers are worth: perplexity, and how far they are from another model's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/view.h"

namespace zp {

/// Nats and shares. Perplexity's standard error is that of the mean loss carried through exp.
struct Perplexity {
  double value = 0;
  double se = 0;
};

struct DivergenceSummary {
  double mean = 0, se = 0, median = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0, max = 0;
};

/// The token a model finds most likely, and how likely.
struct Guess {
  std::int32_t token = 0;
  float probability = 0;
};

/// One scored token.
struct TokenScore {
  double loss = 0;            ///< -log q(token)
  double reference_loss = 0;  ///< -log p(token); this and the rest only beside a reference
  double kl = 0;              ///< sum p log(p / q) over the vocabulary
  Guess guess;
  Guess reference_guess;

  bool same_guess() const { return guess.token == reference_guess.token; }
};

/// Scores one token by the logits that predict it. Throws Error when logits aren't finite.
TokenScore score(Floats logits, std::int32_t token);
TokenScore score(Floats reference, Floats logits, std::int32_t token);

/// Tokens that the reference's first choice had about this probability, and of how many the model's
/// first choice is another.
struct ChangedGuesses {
  std::int64_t tokens = 0;
  std::int64_t changed = 0;
};

struct Scores {
  static constexpr std::size_t kFifths = 5;

  std::int64_t tokens = 0;
  Perplexity perplexity;
  struct Compared {
    Perplexity reference_perplexity;
    /// Perplexity over the reference's. Its standard error is that of the mean difference of both
    /// losses token by token, carried through exp: what both find hard doesn't count.
    Perplexity ratio;
    /// Of both losses over the tokens; 1 where neither varies, 0 where one alone does.
    double correlation = 0;
    DivergenceSummary kl;
    double top1_agreement = 0;
    double top1_agreement_se = 0;
    double rms_dp = 0;  ///< root mean square of q(token) - p(token)
    /// By the probability of the reference's first choice: below 20 %, 40 %, ..., the rest.
    std::array<ChangedGuesses, kFifths> changed = {};
  };
  std::optional<Compared> compared;
};

/// The value below which `share` of the sorted values lie; at least one value.
double quantile(const std::vector<double>& sorted, double share);

/// At least two tokens. Quantiles are interpolated linearly, as NumPy's.
Scores summarize(const std::vector<TokenScore>& tokens, bool compared);

}  // namespace zp
