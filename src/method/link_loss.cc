// What factors are worth to the linears of one link: their true output error, with the grids and
// the fit they will have. Stored are W diag(s), the runtime computes with Q(W diag(s)) diag(1/s):
// tr(E H E^T) of E = W - Q(W diag(s)) diag(1/s) is the error of W diag(s) under diag(1/s) H
// diag(1/s).
#include "method/moved_moments.h"
#include "method/output_error.h"
#include "method/scaling.h"

namespace zp {

LinkLoss::LinkLoss(const LinkedReaders& readers, const Team& team)
    : readers_(readers), team_(team) {
  const std::vector<float> ones(static_cast<std::size_t>(readers.sources), 1.0f);
  without_ = errors(ones);
}

std::vector<double> LinkLoss::errors(std::span<const float> factors) const {
  Change change;
  for (const std::int32_t source : readers_.source)
    change.column_factors.push_back(factors[static_cast<std::size_t>(source)]);
  const std::vector<float>& by_column = change.column_factors;
  const std::int64_t cols = readers_.moments.cols;
  const std::vector<float> moments = moved_moments(readers_.moments, change);
  const Matrix h(moments.data(), cols, cols);
  std::vector<double> out;
  std::vector<float> scaled;
  for (const LinkedReader& reader : readers_.readers) {
    scaled.resize(static_cast<std::size_t>(reader.w.rows * cols));
    const View2D<float> w(scaled.data(), reader.w.rows, cols);
    for (std::int64_t r = 0; r < w.rows; ++r) {
      for (std::size_t j = 0; j < by_column.size(); ++j)
        w.row(r)[j] = reader.w.row(r)[j] * by_column[j];
    }
    out.resize(reader.grids.size());
    for (std::size_t o = 0; o < out.size(); ++o) {
      if (reader.grids[o] != nullptr)
        out[o] += output_error(*reader.grids[o], readers_.fit, w, h, team_);
    }
  }
  return out;
}

double LinkLoss::operator()(std::span<const float> factors) const {
  return mean_share(errors(factors), without_);
}

}  // namespace zp
