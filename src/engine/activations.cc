#include "engine/activations.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "kernel/matmul.h"

namespace zp {

Activations& Activations::operator=(Activations&& other) noexcept {
  release();
  view_ = std::exchange(other.view_, {});
  pool_ = std::exchange(other.pool_, nullptr);
  buffer_ = other.buffer_;
  return *this;
}

void Activations::release() noexcept {
  if (pool_ != nullptr) pool_->buffers_[buffer_].taken = false;
  pool_ = nullptr;
}

void BufferPool::shrink() noexcept {
  for (Buffer& buffer : buffers_) {
    if (!buffer.taken) buffer = {};
  }
}

Activations BufferPool::take(std::int64_t rows, std::int64_t cols) {
  const std::int64_t stride = row_stride(cols);
  const std::int64_t size = checked_mul(rows, stride, "activations");
  // The smallest free buffer that is large enough; a free one that is too small is replaced.
  std::size_t best = buffers_.size();
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    if (buffers_[i].taken) continue;
    if (best == buffers_.size()) best = i;
    const bool fits = buffers_[i].size >= size;
    const bool best_fits = buffers_[best].size >= size;
    if (fits && (!best_fits || buffers_[i].size < buffers_[best].size)) best = i;
  }
  if (best == buffers_.size()) buffers_.emplace_back();
  Buffer& buffer = buffers_[best];
  if (buffer.size < size) {
    buffer.size = 0;
    buffer.floats.reset();
    buffer.floats.reset(new float[static_cast<std::size_t>(size)]);
    buffer.size = size;
  }
  buffer.taken = true;
  Activations taken;
  taken.view_ = {buffer.floats.get(), rows, cols, stride};
  taken.pool_ = this;
  taken.buffer_ = best;
  return taken;
}

Activations BufferPool::copy_of(Matrix rows) {
  Activations out = take(rows.rows, rows.cols);
  for (std::int64_t r = 0; r < rows.rows; ++r)
    std::ranges::copy(rows.row(r), out.view().row(r).begin());
  return out;
}

}  // namespace zp
