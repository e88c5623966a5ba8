// Activations: one row of floats per token, in buffers that are used again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/view.h"

namespace zp {

class BufferPool;

/// Movable; its buffer goes back to the pool, which must outlive it.
class Activations {
 public:
  Activations() = default;
  Activations(Activations&& other) noexcept { *this = std::move(other); }
  Activations& operator=(Activations&& other) noexcept;
  ~Activations() { release(); }

  View2D<float> view() { return view_; }
  Matrix view() const { return view_; }
  std::int64_t rows() const { return view_.rows; }
  std::int64_t cols() const { return view_.cols; }

 private:
  friend class BufferPool;
  void release() noexcept;
  View2D<float> view_;
  BufferPool* pool_ = nullptr;
  std::size_t buffer_ = 0;
};

/// For one thread.
class BufferPool {
 public:
  /// Values are whatever was there before.
  Activations take(std::int64_t rows, std::int64_t cols);
  Activations copy_of(Matrix rows);
  /// Gives back the memory of buffers that nobody has.
  void shrink() noexcept;

 private:
  friend class Activations;
  struct Buffer {
    std::unique_ptr<float[]> floats;
    std::int64_t size = 0;
    bool taken = false;
  };
  std::vector<Buffer> buffers_;
};

}  // namespace zp
