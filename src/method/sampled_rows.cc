#include "method/sampled_rows.h"

#include <algorithm>
#include <cmath>

namespace zp {
namespace {

constexpr std::int64_t kRows = 256;
constexpr std::int64_t kTile = 64;

}  // namespace

SampledRows::SampledRows(const RowReader& rows)
    : rows_(std::min(rows.rows(), kRows)),
      cols_(rows.cols()),
      values_(static_cast<std::size_t>(rows_ * cols_)) {
  for (std::int64_t i = 0; i < rows_; ++i)
    rows.read(i * rows.rows() / rows_, 1, values_.data() + i * cols_);
}

std::int64_t SampledRows::bytes(std::int64_t cols) {
  return kRows * cols * static_cast<std::int64_t>(sizeof(float));
}

std::vector<float> largest_of_columns(const RowReader& rows) {
  std::vector<float> out(static_cast<std::size_t>(rows.cols()));
  std::vector<float> tile(static_cast<std::size_t>(kTile * rows.cols()));
  for (std::int64_t begin = 0; begin < rows.rows(); begin += kTile) {
    const std::int64_t count = std::min(kTile, rows.rows() - begin);
    rows.read(begin, count, tile.data());
    for (std::int64_t r = 0; r < count; ++r) {
      const Floats row = Matrix(tile.data(), count, rows.cols()).row(r);
      for (std::size_t j = 0; j < out.size(); ++j) out[j] = std::max(out[j], std::fabs(row[j]));
    }
  }
  return out;
}

}  // namespace zp
