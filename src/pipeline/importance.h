// Statistics bound to a model: how much each column of each weight counts.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/view.h"
#include "container/container.h"
#include "model/architecture.h"

namespace zp {

class ColumnImportance {
 public:
  /// llama.cpp's imatrix, either form; its entries are found by the tensors' names in GGUF. Throws
  /// Error for a file that is none, or an entry of another size than the tensor's columns.
  ColumnImportance(const std::filesystem::path& file, const Model& model);

  /// One number for each column, or empty: all count alike.
  Floats of(const Weight& weight) const;
  /// What the file says of itself.
  const StatisticsOrigin& origin() const { return origin_; }
  /// What was not found, for people.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::unordered_map<const Weight*, std::vector<float>> columns_;
  StatisticsOrigin origin_;
  std::vector<std::string> notes_;
};

}  // namespace zp
