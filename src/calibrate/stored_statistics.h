// Statistics from a file of our own (format/statistics.h), and such a file of a model.
//
// A file belongs to the model whose hash it has: names, shapes and stored types of all tensors, and
// of each tensor eight rows as FP32, spread evenly.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "calibrate/calibration.h"
#include "calibrate/layer_inputs.h"
#include "calibrate/layer_statistics.h"
#include "format/imatrix.h"
#include "format/statistics.h"

namespace zp {

std::uint64_t hash_of(const Model& model);

class StoredStatistics final : public LayerStatistics {
 public:
  /// Borrows the team. Throws Error for a file that is damaged, of another model, or lacks an input
  /// the model has. feedback: what more than importance is asked for. memory_bytes: a budget, in
  /// half of which a layer's experts are taken together; 0: none.
  StoredStatistics(const std::filesystem::path& file, const Model& model,
                   const std::optional<FeedbackOptions>& feedback, std::int64_t memory_bytes,
                   const Team& team);

  std::int64_t bytes() const override;
  std::int64_t stages() const override { return std::ssize(stages_); }
  std::int64_t windows() const override {
    return head_.tokens / std::max<std::int64_t>(1, head_.context);
  }
  std::int64_t stage_of(const Weight& weight) const override;
  void next(Progress& progress) override;
  InputStatistics of(const Weight& weight, std::size_t output) const override;
  std::vector<FewTokens> few_tokens() const override;
  void describe(Hash64& hash) const override;
  void resume(std::int64_t stages, Bytes) override { stage_ = stages - 1; }

 private:
  /// Entries [begin, end) of one layer.
  struct Stage {
    std::int64_t layer = -1;  // -1: none
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  void add_to_stages(std::size_t entry, std::int64_t memory_bytes);
  std::int64_t bytes_of(const Stage& stage) const;

  MappedFile file_;
  StatisticsHead head_;
  Network network_;
  std::vector<LinearInput> names_;  // of the entries, ascending
  std::optional<FeedbackOptions> feedback_;
  const Team& team_;
  std::vector<Stage> stages_;
  std::int64_t stage_ = -1;
  std::map<LinearInput, LayerInputs> inputs_;
};

/// Takes the model through the text and writes a statistics file at `path`; its bytes. Everything
/// must have been asked for: feedback and ranges. Throws Error.
std::int64_t write_statistics(const Model& model, Calibration& calibration,
                              const std::filesystem::path& path, bool replace, Progress& progress);
/// The same in llama.cpp's form: the mean squares alone.
Imatrix make_imatrix(const Model& model, Calibration& calibration,
                     const std::vector<std::string>& texts, Progress& progress);

}  // namespace zp
