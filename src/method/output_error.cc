#include "method/output_error.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "base/checked.h"
#include "grid/plane_buffers.h"
#include "kernel/matmul.h"
#include "kernel/range.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 32;  // for one thread at a time

// As Moments::importance() has it: so that none counts for nothing, a hundredth of the mean.
std::vector<float> importance_of(Matrix moments) {
  std::vector<float> out;
  double mean = 0;
  for (std::int64_t j = 0; j < moments.rows; ++j) {
    out.push_back(moments.row(j)[static_cast<std::size_t>(j)]);
    mean += static_cast<double>(out.back()) / static_cast<double>(moments.rows);
  }
  if (!(mean > 0)) return {};
  for (float& h : out) h += static_cast<float>(mean / 100);
  return out;
}

std::vector<float> decoded(const Grid& grid, Fit fit, Matrix w, Floats importance) {
  PlaneBuffers planes;
  grid.quantize(w, importance, fit, make_room(grid, w.rows, w.cols, planes));
  std::vector<float> values(static_cast<std::size_t>(w.rows * w.cols));
  decode(grid, planes, {values.data(), w.rows, w.cols});
  return values;
}

double error_of_rows(const Grid& grid, Fit fit, Matrix w, Matrix moments, Floats importance) {
  for (std::int64_t r = 0; r < w.rows; ++r) {
    if (first_beyond(w.row(r), static_cast<float>(grid.limit())) >= 0)
      return std::numeric_limits<double>::infinity();
  }
  std::vector<float> error = decoded(grid, fit, w, importance);
  const View2D<float> e(error.data(), w.rows, w.cols);
  for (std::int64_t r = 0; r < w.rows; ++r)
    std::ranges::transform(w.row(r), e.row(r), e.row(r).begin(), std::minus());
  std::vector<float> products(error.size());
  matmul(e, moments, {products.data(), w.rows, w.cols});
  double sum = 0;
  for (std::size_t i = 0; i < error.size(); ++i)
    sum += static_cast<double>(error[i]) * static_cast<double>(products[i]);
  return sum;
}

}  // namespace

double output_error(const Grid& grid, Fit fit, Matrix w, Matrix moments, const Team& team) {
  const std::vector<float> importance =
      fit == Fit::search ? importance_of(moments) : std::vector<float>();
  std::vector<double> parts(static_cast<std::size_t>(ceil_div(w.rows, kRows)));
  team.run(std::ssize(parts), [&](std::int64_t part) {
    const std::int64_t begin = part * kRows;
    const Matrix rows(w.row(begin).data(), std::min(kRows, w.rows - begin), w.cols, w.stride);
    parts[static_cast<std::size_t>(part)] = error_of_rows(grid, fit, rows, moments, importance);
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

double mean_share(std::span<const double> with, std::span<const double> without) {
  double sum = 0;
  for (std::size_t o = 0; o < with.size(); ++o)
    sum += without[o] > 0 ? with[o] / without[o] : 1 + with[o];
  return with.empty() ? 1 : sum / static_cast<double>(with.size());
}

}  // namespace zp
