#include "judge/judge.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "judge/evaluate.h"
#include "judge/vocabularies.h"
#include "judge/worst.h"
#include "text/decode.h"
#include "text/documents.h"

namespace zp {
namespace {

constexpr std::size_t kWorst = 20;
constexpr std::int64_t kBefore = 32;  // tokens of the text shown around one
constexpr std::int64_t kAfter = 8;

// All documents, one behind the other.
std::vector<TokenId> tokens_of(const Subject& subject, const JudgeText& text) {
  if (subject.tokenizer == nullptr) {
    throw Error(subject.where, "no tokenizer",
                "tokenizer.json, tokenizer.model, vocab.json with merges.txt, or *.tiktoken");
  }
  return encode_together(text.documents, *subject.tokenizer, subject.where);
}

ScoredText scored_text(const Subject& subject, const JudgeText& text,
                       std::span<const TokenId> tokens) {
  ScoredText scored{.tokens = tokens, .context = text.context, .bos = {}};
  const Tokenizer& tokenizer = *subject.tokenizer;
  if (tokenizer.add_bos && tokenizer.bos) scored.bos = static_cast<std::int32_t>(*tokenizer.bos);
  return scored;
}

std::string bytes_of(const TokenDecoder& decoder, std::span<const TokenId> ids) {
  std::string bytes;
  for (const TokenId id : ids) bytes += decoder.bytes(id);
  return bytes;
}

JudgedToken in_context(const WorstToken& worst, std::span<const TokenId> tokens,
                       const TokenDecoder& decoder) {
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    const auto size = static_cast<std::int64_t>(tokens.size());
    end = std::min(end, size);
    return bytes_of(decoder, tokens.subspan(static_cast<std::size_t>(begin),
                                            static_cast<std::size_t>(end - begin)));
  };
  const std::int64_t at = worst.token;
  return {.before = part(std::max(worst.window, at - kBefore), at),
          .token = part(at, at + 1),
          .after = part(at + 1, at + 1 + kAfter),
          .guess = std::string(decoder.bytes(worst.score.guess.token)),
          .reference_guess = std::string(decoder.bytes(worst.score.reference_guess.token)),
          .score = worst.score};
}

// Shares 1 - 2^(-i/4) as long as there is a token beyond them, then all.
std::vector<KlQuantile> curve_of(const std::vector<TokenScore>& scores) {
  std::vector<double> sorted;
  for (const TokenScore& s : scores) sorted.push_back(s.kl);
  std::ranges::sort(sorted);
  std::vector<KlQuantile> curve;
  double beyond = 0.5;
  const double step = std::sqrt(std::sqrt(0.5));
  for (; beyond * static_cast<double>(sorted.size()) > 1; beyond *= step)
    curve.push_back({1 - beyond, quantile(sorted, 1 - beyond)});
  curve.push_back({1, sorted.back()});
  return curve;
}

}  // namespace

void check_text(const Subject& subject, const JudgeText& text) {
  const std::vector<TokenId> tokens = tokens_of(subject, text);
  scored_text(subject, text, tokens).count();
}

std::vector<Judgement> judge(std::span<const Subject> subjects, const Subject* reference,
                             const JudgeText& text, const Team& team, Progress& progress) {
  for (const Subject& subject : subjects) {
    if (reference == nullptr || !subject.tokenizer || !reference->tokenizer) continue;
    check_same_vocabulary(*subject.tokenizer, subject.where, *reference->tokenizer,
                          reference->where);
  }
  const Subject& first = subjects.front();
  const std::vector<TokenId> tokens = tokens_of(first, text);
  const ScoredText scored = scored_text(first, text, tokens);
  std::vector<std::unique_ptr<Engine>> engines;
  for (const Subject& subject : subjects)
    engines.push_back(std::make_unique<Engine>(*subject.model, team));
  std::optional<Engine> beside;
  if (reference != nullptr) beside.emplace(*reference->model, team);

  const TokenDecoder decoder(*first.tokenizer);
  std::vector<Judgement> all;
  for (const std::vector<TokenScore>& scores :
       evaluate(engines, beside ? &*beside : nullptr, scored, team, progress)) {
    Judgement& judgement = all.emplace_back();
    judgement.context = text.context;
    judgement.scores = summarize(scores, reference != nullptr);
    if (reference == nullptr) continue;
    judgement.curve = curve_of(scores);
    for (const WorstToken& w : worst_tokens(scores, scored, kWorst))
      judgement.worst.push_back(in_context(w, tokens, decoder));
  }
  return all;
}

}  // namespace zp
