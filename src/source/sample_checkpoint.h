// A checkpoint in memory, for tests of what becomes of its tensors.
#pragma once

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "base/json.h"
#include "source/checkpoint.h"
#include "tensor/dtype_name.h"

namespace zp::sample {

/// Tensors of bytes, which it holds; of floats their rows, too.
class Sample {
 public:
  explicit Sample(const char* config) {
    checkpoint.path = "model";
    checkpoint.folder = "model";
    checkpoint.config() = parse_json(config, "test");
  }

  void add(const char* name, std::vector<std::int64_t> shape, std::vector<std::byte> bytes,
           const char* type = "uint8") {
    held_.push_back(std::move(bytes));
    Tensor t;
    t.name = name;
    t.type = type;
    t.shape = std::move(shape);
    t.bytes = std::ssize(held_.back());
    t.stored = held_.back();
    const auto [rows, cols] = matrix_shape(t.shape, "test");
    const DTypeInfo& dtype = *dtype_of_name(type);
    if (dtype.floating && t.bytes == rows * cols * dtype.bytes)
      t.rows = stored_rows(t.stored, dtype.dtype, rows, cols);
    checkpoint.add(std::move(t), "test");
  }

  template <class T>
  void add_values(const char* name, std::vector<std::int64_t> shape, const std::vector<T>& values,
                  const char* type) {
    std::vector<std::byte> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    add(name, std::move(shape), std::move(bytes), type);
  }

  Checkpoint checkpoint;

 private:
  std::deque<std::vector<std::byte>> held_;
};

}  // namespace zp::sample
