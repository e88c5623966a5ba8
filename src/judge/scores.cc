#include "judge/scores.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernel/distribution.h"
#include "kernel/elementary.h"

namespace zp {
namespace {

void check_finite(double log_sum) {
  if (!std::isfinite(log_sum)) throw Error("logits", "not finite", "numbers", "NaN or infinity");
}

double loss_of(Floats logits, double log_sum, std::int32_t token) {
  return log_sum - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

Guess guess_of(Floats logits, double log_sum) {
  const auto top = std::ranges::max_element(logits);
  const double probability = portable_exp(static_cast<double>(*top) - log_sum);
  return {static_cast<std::int32_t>(top - logits.begin()), static_cast<float>(probability)};
}

// Losses are those of FP32 logits: they may be far beyond what portable_exp takes.
double probability_of(double loss) { return loss < 700 ? portable_exp(-loss) : 0; }

struct Moments {
  double mean = 0;
  double se = 0;  // of the mean
};

template <class F>
Moments moments(const std::vector<TokenScore>& tokens, const F& value) {
  const auto n = static_cast<double>(tokens.size());
  double sum = 0;
  for (const TokenScore& t : tokens) sum += value(t);
  const double mean = sum / n;
  double squares = 0;
  for (const TokenScore& t : tokens) squares += (value(t) - mean) * (value(t) - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

Perplexity perplexity_of(Moments loss) {
  const double value = portable_exp(std::min(loss.mean, 700.0));  // JSON has no infinity
  return {value, value * loss.se};
}

// As llama.cpp's perplexity tool: the covariance of both losses over the product of their
// deviations.
double correlation(const std::vector<TokenScore>& tokens) {
  const Moments p = moments(tokens, [](const TokenScore& t) { return t.reference_loss; });
  const Moments q = moments(tokens, [](const TokenScore& t) { return t.loss; });
  if (p.se == 0 || q.se == 0) return p.se == q.se ? 1 : 0;
  const auto n = static_cast<double>(tokens.size());
  double sum = 0;
  for (const TokenScore& t : tokens) sum += (t.loss - q.mean) * (t.reference_loss - p.mean);
  return sum / (n - 1) / n / (p.se * q.se);
}

std::array<ChangedGuesses, Scores::kFifths> changed_guesses(const std::vector<TokenScore>& tokens) {
  std::array<ChangedGuesses, Scores::kFifths> changed = {};
  for (const TokenScore& t : tokens) {
    const auto fifth = static_cast<std::size_t>(t.reference_guess.probability *
                                                static_cast<float>(Scores::kFifths));
    ChangedGuesses& of = changed[std::min(fifth, Scores::kFifths - 1)];
    ++of.tokens;
    of.changed += t.same_guess() ? 0 : 1;
  }
  return changed;
}

DivergenceSummary summarize_kl(const std::vector<TokenScore>& tokens) {
  std::vector<double> sorted;
  for (const TokenScore& t : tokens) sorted.push_back(t.kl);
  std::ranges::sort(sorted);
  const Moments m = moments(tokens, [](const TokenScore& t) { return t.kl; });
  return {.mean = m.mean,
          .se = m.se,
          .median = quantile(sorted, 0.5),
          .p90 = quantile(sorted, 0.9),
          .p95 = quantile(sorted, 0.95),
          .p99 = quantile(sorted, 0.99),
          .p999 = quantile(sorted, 0.999),
          .max = sorted.back()};
}

Scores::Compared compare(const std::vector<TokenScore>& tokens) {
  const auto n = static_cast<double>(tokens.size());
  Scores::Compared c;
  c.reference_perplexity =
      perplexity_of(moments(tokens, [](const TokenScore& t) { return t.reference_loss; }));
  c.ratio =
      perplexity_of(moments(tokens, [](const TokenScore& t) { return t.loss - t.reference_loss; }));
  c.correlation = correlation(tokens);
  c.changed = changed_guesses(tokens);
  c.kl = summarize_kl(tokens);
  c.top1_agreement =
      moments(tokens, [](const TokenScore& t) { return t.same_guess() ? 1.0 : 0.0; }).mean;
  c.top1_agreement_se = std::sqrt(c.top1_agreement * (1 - c.top1_agreement) / (n - 1));
  c.rms_dp = std::sqrt(moments(tokens, [](const TokenScore& t) {
                         const double dp =
                             probability_of(t.loss) - probability_of(t.reference_loss);
                         return dp * dp;
                       }).mean);
  return c;
}

}  // namespace

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

TokenScore score(Floats logits, std::int32_t token) {
  const double sum = log_sum(logits);
  check_finite(sum);
  TokenScore score;
  score.loss = loss_of(logits, sum, token);
  score.guess = guess_of(logits, sum);
  return score;
}

TokenScore score(Floats reference, Floats logits, std::int32_t token) {
  const Divergence d = divergence(reference, logits);
  check_finite(d.kl);
  return {.loss = loss_of(logits, d.log_sum_q, token),
          .reference_loss = loss_of(reference, d.log_sum_p, token),
          .kl = d.kl,
          .guess = guess_of(logits, d.log_sum_q),
          .reference_guess = guess_of(reference, d.log_sum_p)};
}

Scores summarize(const std::vector<TokenScore>& tokens, bool compared) {
  Scores scores;
  scores.tokens = static_cast<std::int64_t>(tokens.size());
  scores.perplexity = perplexity_of(moments(tokens, [](const TokenScore& t) { return t.loss; }));
  if (compared) scores.compared = compare(tokens);
  return scores;
}

}  // namespace zp
