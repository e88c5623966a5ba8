// LoRA (Hu et al., 2021): a model's matrices stay as they are stored, in floats or on any grid (QLoRA:
// Dettmers et al., 2023); what is trained is what is added to each, alpha / r B A, to say the next
// token: the mean cross-entropy over those tokens of a text that shall be said.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "engine/low_rank.h"
#include "model/architecture.h"
#include "tune/learner.h"

namespace zp {

/// Tokens that the model reads, and says from one of them on.
struct Lesson {
  std::vector<std::int32_t> ids;
  std::int64_t said = 1;      ///< the first that is to be said; at least 1, and there
  std::int64_t document = 0;  ///< that it comes of, from 1 on

  std::int64_t tokens_said() const { return std::ssize(ids) - said; }
};

struct LoraOptions {
  std::int64_t rank = 16;
  double alpha = 32;
  /// Of the lessons. The seed is that of the first A, too.
  Schedule schedule = {.passes = 3, .batch = 8, .rate = 0.0002};
};

/// Of the matrix at `place`.
struct Adapter {
  Place place;
  std::int64_t rank = 0;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  float scale = 1;       ///< alpha / r
  std::vector<float> a;  ///< r x inputs
  std::vector<float> b;  ///< outputs x r

  LowRank low_rank() const { return {{a.data(), rank, inputs}, {b.data(), outputs, rank}, scale}; }
};

/// How the model did when it was looked at. Losses are nats a token.
struct LoraLook {
  std::int64_t step = 0;
  double rate = 0;
  std::optional<double> loss;  ///< the mean of the steps since the last look
  double held_out = 0;         ///< of the lessons that nothing is learned from
};

struct LoraResult {
  std::vector<Adapter> adapters;  ///< as they were best
  std::vector<LoraLook> looks;    ///< the first before any step
  std::size_t best = 0;           ///< of them; 0: nothing that was learned is better
  std::int64_t steps = 0;
  std::optional<Error> stopped;  ///< where a loss was no number, behind the best look
};

/// Tokens that train_lora() lets through.
std::int64_t lora_tokens(std::span<const Lesson> lessons, std::span<const Lesson> held_out,
                         const LoraOptions& options);

/// What train_lora() takes beside the mapped files, at most.
std::int64_t lora_bytes(const Model& model, std::span<const Place> places, std::int64_t longest,
                        std::int64_t rank, int threads);

/// Adapters of the linears at `places`, the first A of numbers up to inputs^(-1/2), the first B of zeros.
/// The gradient of a step is cut to length 1. Of all looks at the lessons held out (of `lessons`
/// where there are none) the best is kept. Throws Error where a loss is no number before
/// anything was learned.
LoraResult train_lora(const Model& model, std::span<const Place> places,
                      std::span<const Lesson> lessons, std::span<const Lesson> held_out,
                      const LoraOptions& options, const Team& team, Progress& progress);

}  // namespace zp
