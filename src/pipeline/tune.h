// A model trained on a text: from what people ask for to an adapter beside the model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/load.h"
#include "tune/lora.h"

namespace zp {

/// Fields have the names of the command line's options; empty: not asked for.
struct TuneRequest {
  std::string model;
  std::string method = "lora";
  std::vector<std::string> data;  ///< texts
  std::string output;             ///< a folder of PEFT's layout, or FILE.gguf
  std::string roles;              ///< patterns, as `set` takes; empty: every linear of the layers
  std::int64_t rank = 16;
  std::optional<double> alpha;  ///< nothing: twice the rank
  double rate = 0.0002;
  std::int64_t passes = 3;
  std::int64_t batch = 8;
  std::uint64_t seed = 0;
  std::int64_t max_tokens = 512;       ///< of a lesson
  std::optional<std::int64_t> memory;  ///< bytes; nothing: a quarter of the machine's
  bool dry_run = false;                ///< the outcome is a plan, and nothing is written
  bool force = false;
};

struct TuneOutcome {
  LoraResult lora;                ///< its adapters are written; of a plan the steps alone
  std::int64_t matrices = 0;      ///< that have an adapter
  std::int64_t parameters = 0;    ///< of the adapters
  std::int64_t lessons = 0;       ///< that are learned
  std::int64_t held_out = 0;      ///< lessons
  std::int64_t tokens = 0;        ///< of a pass
  std::int64_t tokens_said = 0;   ///< of these
  std::int64_t answers = 0;       ///< of the assistant, in conversations
  std::int64_t too_long = 0;      ///< of these: left out
  std::int64_t bytes = 0;         ///< of the adapter's matrices
  std::int64_t memory_bytes = 0;  ///< planned, beside the mapped files, at most
  double seconds = 0;             ///< of training
};

/// Throws UsageError for what can't be asked for, Error for what files don't allow, and where nothing that
/// was learned is better than the model; Cancelled where the team is. The output appears when it is complete.
TuneOutcome tune(const TuneRequest& request, const Team& team, Progress& progress);

}  // namespace zp
