// The main job: a model into files of other runtimes, from what people ask for to what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/budget.h"
#include "pipeline/calibration_text.h"
#include "pipeline/distill_outputs.h"
#include "pipeline/refine_outputs.h"
#include "pipeline/rewrite.h"
#include "pipeline/run.h"

namespace zp {

/// Fields have the names of the command line's options; empty: not asked for.
struct QuantizeRequest {
  std::string model;
  std::string merge;                   ///< an adapter that the model holds, into its weights
  std::string adapter;                 ///< the folder of one, the same
  std::vector<std::string> to;         ///< CONTAINER[:GRID][=PATH]
  std::string method;                  ///< empty: gptq with a text, mse without
  std::string rewrite;                 ///< NAME[,NAME...]
  std::uint64_t seed = 0;              ///< of random signs
  std::vector<std::string> set;        ///< ROLE-OR-PATTERN=GRID
  std::vector<std::string> calibrate;  ///< texts
  std::string save_text;
  std::optional<std::int64_t> tokens = 16384;  ///< of the texts; nothing: auto_tokens()
  std::int64_t context = 512;                  ///< tokens of a window
  std::string statistics;
  std::string refine;   ///< how the outputs' layers are trained: parse_refine()
  std::string distill;  ///< what is trained of the outputs, behind that: parse_distill()
  Budget fit;
  std::string resume;
  std::string judge;
  bool accurate = false;  ///< runtimes are asked to compute what the weights say
  std::string pre_tokenizer;
  std::string report;  ///< a file that the caller writes later: no output may be there
  std::optional<std::int64_t> memory;  ///< bytes; nothing: a quarter of the machine's
  bool dry_run = false;                ///< the outcome is a plan, and nothing is written
  bool force = false;
  /// Spells `fields` between backquotes as the caller does: the command that a model card shows is
  /// in these words. None: as they are.
  std::function<std::string(std::string_view)> spell = {};
  std::optional<std::int64_t>
      split_size;  ///< bytes of tensors in a file, at most; nothing: what is usual

  /// Where losses are measured.
  std::vector<std::string> budget_texts() const;
};

/// Wall time beside RunSeconds.
struct QuantizeSeconds {
  double load = 0;      ///< the model and the texts
  double own_text = 0;  ///< that the model wrote itself
  double budget = 0;
  double rewrite = 0;
  double refine = 0;
  double distill = 0;
  double judge = 0;
  double total = 0;
};

/// Owns what its parts borrow.
struct QuantizeOutcome {
  std::unique_ptr<LoadedModel> loaded;
  std::unique_ptr<RewrittenModel> rewritten;  ///< nullptr: the model is as it was
  std::unique_ptr<LayerStatistics> statistics;
  std::unique_ptr<ColumnImportance> importance;
  Plan plan;
  Allotments allotments;
  std::vector<RewriteResult> rewrites;  ///< what they did, or would
  std::string calibration;              ///< texts or statistics, in words; empty: none
  std::optional<OwnTextOutcome> own_text;
  std::int64_t calibration_tokens = 0;  ///< of the text, as far as it goes; 0: none
  double calibration_seconds = 0;       ///< about what they take, with the coding, to be expected
  std::optional<TextReading> text;      ///< nothing: no text, or nothing ran
  std::optional<RunResult> run;         ///< nothing: only planned
  std::vector<RefinedOutput> refined;   ///< one for each output, or none
  std::vector<DistilledOutput> distilled;  ///< the same
  std::vector<Judgement> judgements;       ///< one for each output, or none
  QuantizeSeconds seconds;
};

/// Throws UsageError for what can't be asked for, Error for what files don't allow; Cancelled where
/// the team is.
QuantizeOutcome quantize(const QuantizeRequest& request, const Team& team, Progress& progress);

/// What a calibrated run of the default method on the model's own text would take, writing it
/// included.
double calibrated_seconds(const Model& model, std::int64_t outputs, int threads);

}  // namespace zp
