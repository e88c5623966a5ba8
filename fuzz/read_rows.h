// Reads a checkpoint of one kind from bytes in memory, and the first rows of every tensor.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "source/checkpoint.h"

inline void add_tensors(std::string_view kind, zp::Bytes file, zp::Checkpoint& checkpoint) {
  for (const zp::SourceKind* source : zp::source_kinds()) {
    if (source->name == kind) source->read(file, "input", checkpoint);
  }
}

inline void read_rows(const zp::Checkpoint& checkpoint) {
  constexpr std::int64_t kMaxRows = 3;
  constexpr std::int64_t kMaxCols = 1 << 20;
  for (const zp::Tensor& tensor : checkpoint.tensors) {
    if (tensor.rows == nullptr || tensor.rows->cols() > kMaxCols) continue;
    const std::int64_t rows = std::min(tensor.rows->rows(), kMaxRows);
    std::vector<float> values(static_cast<std::size_t>(rows * tensor.rows->cols()));
    tensor.rows->read(0, rows, values.data());
    // The last row is the one that may reach too far.
    if (rows > 0) tensor.rows->read(tensor.rows->rows() - 1, 1, values.data());
  }
}

inline void read_rows(std::string_view kind, zp::Bytes file) {
  zp::Checkpoint checkpoint;
  add_tensors(kind, file, checkpoint);
  read_rows(checkpoint);
}
