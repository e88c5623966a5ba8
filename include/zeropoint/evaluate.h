// What a model is worth on a text, alone or against another.
//
// The text's tokens are cut into windows; the first token of each is the beginning-of-text token where
// the model uses one, and the second half is scored, as llama.cpp's perplexity tool does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/export.h"
#include "zeropoint/work.h"

namespace zeropoint {

/// Fields have the names of the command line's options; empty: not asked for.
struct EvaluateRequest {
  std::string model;           ///< a folder or a file of any kind that is read
  std::string merge;           ///< an adapter that the model holds, into its weights: "vision"
  std::string adapter;         ///< a folder of PEFT's layout or llama.cpp's GGUF, the same
  std::string text;            ///< a file: plain text, JSON or JSONL
  std::string against;         ///< the model it is compared with; the same vocabulary
  std::int64_t context = 512;  ///< tokens of a window
};

/// A figure and its standard error.
struct Estimate {
  double value = 0;
  double se = 0;
};

/// Of sum p log(p / q) over the vocabulary at each scored token, in nats; p is the reference's.
struct Divergence {
  double mean = 0, se = 0, median = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0, max = 0;
};

/// A place where two models differ much. Bytes of the text, which may end within a character.
struct JudgedToken {
  std::string before;  ///< what both models saw last
  std::string token;   ///< what came
  std::string after;
  std::string guess;            ///< what the model expected
  std::string reference_guess;  ///< what the reference expected
  double kl_divergence = 0;     ///< nats
};

/// Beside a reference.
struct Comparison {
  Estimate reference_perplexity;
  Estimate perplexity_ratio;          ///< over the reference's, from losses token by token
  double perplexity_correlation = 0;  ///< of both models' losses
  Divergence kl_divergence;
  Estimate top1_agreement;         ///< share of tokens with the same first choice, 0 to 1
  double rms_dp = 0;               ///< root mean square of q(token) - p(token)
  std::vector<JudgedToken> worst;  ///< the largest divergences, the largest first
};

struct Evaluation {
  std::int64_t tokens = 0;  ///< scored
  std::int64_t context = 0;
  Estimate perplexity;
  std::optional<Comparison> compared;
};

/// Throws Error for what the files don't allow (no tokenizer, another vocabulary, a text shorter than a
/// window), UsageError, and Cancelled.
ZEROPOINT_API Evaluation evaluate(const EvaluateRequest& request, const Work& work = {});

}  // namespace zeropoint
