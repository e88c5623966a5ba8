// Statistics from a file of our own (format/statistics.h), and such a file of a model.
//
// A file belongs to the model whose hash it has: names, shapes and stored types of all tensors, and
// of each tensor eight rows as FP32, spread evenly.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
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
  /// Borrows the model and the team. Throws Error for a file that is damaged, of another model, or
  /// lacks an input the model has. feedback: whether more than importance is asked for.
  StoredStatistics(const std::filesystem::path& file, const Model& model, bool feedback,
                   const FeedbackOptions& options, const Team& team);

  std::int64_t bytes() const override;
  std::int64_t stages() const override { return std::ssize(network_.layers) + 1; }
  std::int64_t windows() const override {
    return head_.tokens / std::max<std::int64_t>(1, head_.context);
  }
  std::int64_t stage_of(const Weight& weight) const override;
  void next(Progress& progress) override;
  InputStatistics of(const Weight& weight, std::size_t output) const override;
  void describe(Hash64& hash) const override { hash.add(file_.bytes()); }
  void resume(std::int64_t stages, Bytes) override { stage_ = stages - 1; }

 private:
  MappedFile file_;
  StatisticsHead head_;
  Network network_;
  bool feedback_;
  FeedbackOptions options_;
  const Team& team_;
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
