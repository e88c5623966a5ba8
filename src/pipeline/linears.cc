#include "pipeline/linears.h"

#include <algorithm>
#include <cmath>

namespace zp {
namespace {

constexpr std::int64_t kRows = 256;
constexpr std::int64_t kTile = 64;

}  // namespace

std::vector<std::vector<const Grid*>> grids_of(const Plan& plan) {
  std::vector<std::vector<const Grid*>> all(plan.model->weights.size(),
                                            std::vector<const Grid*>(plan.outputs.size(), nullptr));
  for (std::size_t o = 0; o < plan.outputs.size(); ++o) {
    for (const TensorJob& job : plan.outputs[o].layout.jobs) {
      if (job.weight == nullptr || job.form == RowForm::transposed || job.grid->whole_tensor())
        continue;
      all[static_cast<std::size_t>(job.weight - plan.model->weights.data())][o] = job.grid.get();
    }
  }
  return all;
}

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

std::vector<float> whole_moments(const Moments& moments) {
  const View2D<const double> h = moments.h();
  const auto n = static_cast<std::size_t>(h.cols);
  double mean = 0;
  for (std::size_t j = 0; j < n; ++j) mean += h.data[j * (n + 1)] / static_cast<double>(n);
  const double scale = mean > 0 ? 1 / mean : 1;
  std::vector<float> out(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      out[i * n + j] = out[j * n + i] = static_cast<float>(h.data[i * n + j] * scale);
  }
  return out;
}

std::unique_ptr<Calibration> float_pass(const Model& model,
                                        const std::vector<std::vector<std::int32_t>>& windows,
                                        const Team& team) {
  CalibrationOptions options;
  options.feedback = true;
  options.method.upstream = false;
  return std::make_unique<Calibration>(model, windows, options, team);
}

}  // namespace zp
