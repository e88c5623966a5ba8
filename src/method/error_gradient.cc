#include "method/error_gradient.h"

#include <algorithm>

#include "kernel/changes.h"
#include "kernel/matmul.h"
#include "kernel/transpose.h"

namespace zp {
namespace {

/// W - Q, rows apart by `stride`.
std::vector<float> apart(Matrix w, const CodedTile& tile, std::int64_t stride) {
  std::vector<float> out(static_cast<std::size_t>(w.rows * stride));
  const View2D<float> d(out.data(), w.rows, w.cols, stride);
  transpose(tile.columns(0, w.cols), d);
  for (std::int64_t r = 0; r < w.rows; ++r)
    std::ranges::transform(w.row(r), d.row(r), d.row(r).begin(), std::minus());
  return out;
}

}  // namespace

ErrorGradient::ErrorGradient(Matrix w, Matrix h, const CodedTile& tile)
    : h_(h),
      rows_(w.rows),
      stride_(row_stride(w.cols)),
      g_(static_cast<std::size_t>(w.rows * stride_)) {
  const std::vector<float> d = apart(w, tile, stride_);
  matmul({d.data(), w.rows, w.cols, stride_}, h, {g_.data(), w.rows, w.cols, stride_});
}

void ErrorGradient::open(std::int64_t begin, std::int64_t end) {
  begin_ = begin;
  end_ = end;
  window_.resize(static_cast<std::size_t>((end - begin) * rows_));
  changes_.assign(window_.size(), 0);
  transpose(Matrix(g_.data() + begin, rows_, end - begin, stride_),
            View2D<float>(window_.data(), end - begin, rows_));
}

Floats ErrorGradient::column(std::int64_t j) const {
  return Matrix(window_.data(), end_ - begin_, rows_).row(j - begin_);
}

void ErrorGradient::follow(std::int64_t j, Floats by, std::int64_t from) {
  std::ranges::copy(by, changes_.begin() + (j - begin_) * rows_);
  if (std::ranges::all_of(by, [](float x) { return x == 0; })) return;
  add_outer(
      h_.columns(from, end_ - from).row(j), by,
      View2D<float>(window_.data(), end_ - begin_, rows_).rows_from(from - begin_, end_ - from));
}

void ErrorGradient::close() {
  add_changed_rows({changes_.data(), end_ - begin_, rows_}, h_.rows_from(begin_, end_ - begin_),
                   {g_.data(), rows_, h_.cols, stride_});
}

double ErrorGradient::error(Matrix w, const CodedTile& tile, Floats damping) const {
  const std::vector<float> apart_by = apart(w, tile, stride_);
  double sum = 0;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const Floats d = Matrix(apart_by.data(), w.rows, w.cols, stride_).row(r);
    const Floats g = Matrix(g_.data(), w.rows, w.cols, stride_).row(r);
    for (std::size_t j = 0; j < d.size(); ++j) {
      const double damped = damping.empty() ? 0 : static_cast<double>(damping[j]);
      sum += static_cast<double>(d[j]) *
             (static_cast<double>(g[j]) - damped * static_cast<double>(d[j]));
    }
  }
  return std::max(sum, 0.0);
}

}  // namespace zp
