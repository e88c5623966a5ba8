// Tensors as Hugging Face checkpoints have them: by their names beside the model's other parts, matrices
// transposed where the architecture's table says so, experts in one tensor where there are no tensors
// of single ones. A weight is floats, or the planes of a quantized module.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "container/checkpoint_folder.h"

namespace zp {

/// Of a weight that checkpoints have with others in one tensor alone, how; nullptr: it has its own.
const StackedRow* stacked_row(const Architecture& architecture, const TensorUse& use);

class HfTensors {
 public:
  HfTensors(const Architecture& architecture, std::span<const Assignment> assignments,
            const Beside& beside);

  /// A weight on a grid of floating point.
  void add(const Assignment& a);
  /// A weight as its module has it, whose rows stay as they are.
  void add_module(const Assignment& a, std::vector<FolderTensor::Plane> planes,
                  std::vector<MadeTensor> made);
  /// shard_bytes: of tensors in a file, at most.
  Layout layout(std::int64_t shard_bytes);

 private:
  using Key = std::pair<Place, Part>;
  static Key key(const TensorUse& use) { return {use.place, use.part}; }

  void add_stacked(const Assignment& a, const StackedRow& row);
  const RowReader* keep(std::unique_ptr<RowReader> rows);
  void push(const Assignment& a, const std::string& name, const RowReader* rows, RowForm form);

  const Architecture& architecture_;
  const Beside& beside_;
  std::map<Key, const Assignment*> by_place_;
  std::vector<std::unique_ptr<RowReader>> derived_;
  std::vector<FolderTensor> tensors_;
  std::vector<RowForm> forms_;
};

}  // namespace zp
