#include "method/corrected.h"

#include <algorithm>

#include "kernel/matmul.h"

namespace zp {
namespace {

constexpr std::int64_t kColumns = 384;  // taken together; a multiple of matmul's sixteen lanes

}  // namespace

// H^-1 is U^T U in the columns' order of the factor.
std::vector<float> corrected(Matrix w, const InputStatistics& inputs) {
  const auto size = static_cast<std::size_t>(w.rows * w.cols);
  const auto cols = static_cast<std::size_t>(w.cols);
  const auto column = [&](std::size_t place) {
    return inputs.order.empty() ? place : static_cast<std::size_t>(inputs.order[place]);
  };
  std::vector<float> a(size), b(size);
  const View2D<float> from(a.data(), w.rows, w.cols);
  const View2D<float> to(b.data(), w.rows, w.cols);
  matmul(w, inputs.drift, from);
  for (std::int64_t r = 0; r < w.rows; ++r) {
    for (std::size_t k = 0; k < cols; ++k) to.row(r)[k] = from.row(r)[column(k)];
  }
  const Matrix v = inputs.feedback;  // zeros above the diagonal, which are left out
  for (std::int64_t begin = 0; begin < v.cols; begin += kColumns) {
    const std::int64_t count = std::min(kColumns, v.cols - begin);
    const std::int64_t below = v.rows - begin;
    weighted_rows(to.columns(begin, below), v.rows_from(begin, below).columns(begin, count),
                  from.columns(begin, count));
  }
  for (std::int64_t begin = 0; begin < v.rows; begin += kColumns) {
    const std::int64_t count = std::min(kColumns, v.rows - begin);
    matmul(from.columns(0, begin + count), v.rows_from(begin, count).columns(0, begin + count),
           to.columns(begin, count));
  }
  for (std::int64_t r = 0; r < w.rows; ++r) {
    for (std::size_t k = 0; k < cols; ++k) {
      const std::size_t j = column(k);
      from.row(r)[j] = w.row(r)[j] + to.row(r)[k];
    }
  }
  return a;
}

}  // namespace zp
