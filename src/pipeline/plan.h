// The plan: everything that is known before the first weight is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/layer_statistics.h"
#include "container/container.h"
#include "method/method.h"
#include "pipeline/importance.h"
#include "pipeline/load.h"
#include "pipeline/model_card.h"
#include "pipeline/target.h"

namespace zp {

struct Recipe {
  std::vector<Target> targets;
  const Model* model = nullptr;  ///< a rewritten one, instead of the loaded; the plan borrows it
  std::shared_ptr<const Coder> coder = default_coder();
  std::vector<Exception> exceptions;
  const ColumnImportance* importance =
      nullptr;                             ///< of the model's columns; the plan keeps the pointer
  LayerStatistics* statistics = nullptr;   ///< instead of importance; the plan keeps the pointer
  std::optional<StatisticsOrigin> origin;  ///< of either
  std::string how;  ///< " `FIELD` VALUE" of the fields that decide codes and grids, for model cards
  /// Spells such fields as the caller does; none: they stay between backquotes.
  std::function<std::string(std::string_view)> spell;
  bool accurate = false;          ///< runtimes are asked to compute what the weights say
  std::string pre_tokenizer;      ///< overrides what the tokenizer's own regexes say
  std::int64_t memory_bytes = 0;  ///< budget for our own memory; 0: none
  int threads = 1;
  std::filesystem::path resume;  ///< a folder for what is done; empty: nothing is kept
  bool force = false;
  std::int64_t split_bytes = 0;  ///< of tensors in a file, at most; 0: what is usual
};

/// Why a tensor has its grid.
struct Choice {
  std::string grid;
  std::string why;
  Fidelity held = Fidelity::exact;  ///< the grid's bytes, or repacked
  bool wanted_quantized = false;    ///< the rule's grid is less than a float type
  bool fell_back = false;           ///< and can't hold the weight
};

struct PlannedOutput {
  const Container* container = nullptr;
  std::filesystem::path path;
  std::string grid;             ///< what was asked for, spelled in full
  std::vector<Rule> rules;      ///< as applied, first match wins; without what was measured
  bool measured = false;        ///< some weights have grids of Target::measured instead
  std::vector<Choice> choices;  ///< one for each weight of the model
  Layout layout;
  std::optional<ModelCard> card;  ///< of a folder

  double bits_per_weight(const Model& model) const;
  /// The path of layout.files[index].
  std::filesystem::path file(std::size_t index) const;
  /// What programs open: the folder, or the (first) file.
  std::filesystem::path opened() const;
};

/// Borrows the model.
struct Plan {
  const Model* model = nullptr;
  std::shared_ptr<const Coder> coder;
  std::vector<PlannedOutput> outputs;
  std::int64_t memory_bytes = 0;  ///< of our own that the run will take at most
  const ColumnImportance* importance = nullptr;
  LayerStatistics* statistics = nullptr;
  std::filesystem::path resume;
};

/// Throws Error when something is at `path` (and not `force`), or its folder isn't there.
void check_output_path(const std::filesystem::path& path, bool force);

/// Rows handled at a time: a tile's FP32 values stay in the second-level cache, unless the coder
/// needs more rows; they share no words of the file with those of another tile.
std::int64_t tile_rows(const TensorJob& job, const Coder& coder);

/// Throws Error for grids the container can't hold, paths that exist (without force), outputs with
/// the same path, and tensors that don't fit the memory budget.
Plan make_plan(const LoadedModel& loaded, const Recipe& recipe);

}  // namespace zp
