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

constexpr std::int64_t kRows = 32;      // for one thread at a time
constexpr std::int64_t kColumns = 384;  // taken together; a multiple of matmul's sixteen lanes

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

std::vector<float> difference(Matrix x, Matrix y) {
  std::vector<float> out(static_cast<std::size_t>(x.rows * x.cols));
  for (std::int64_t r = 0; r < x.rows; ++r)
    std::ranges::transform(x.row(r), y.row(r), out.begin() + r * x.cols, std::minus());
  return out;
}

double error_of_rows(const Grid& grid, Fit fit, Matrix w, Matrix moments, Floats importance) {
  for (std::int64_t r = 0; r < w.rows; ++r) {
    if (first_beyond(w.row(r), static_cast<float>(grid.limit())) >= 0)
      return std::numeric_limits<double>::infinity();
  }
  const std::vector<float> q = decoded(grid, fit, w, importance);
  const std::vector<float> error = difference(w, {q.data(), w.rows, w.cols});
  const Matrix e(error.data(), w.rows, w.cols);
  std::vector<float> products(error.size());
  matmul(e, moments, {products.data(), w.rows, w.cols});
  double sum = 0;
  for (std::size_t i = 0; i < error.size(); ++i)
    sum += static_cast<double>(error[i]) * static_cast<double>(products[i]);
  return sum;
}

// Of x H x^T, H symmetric, the lower triangle is enough: what is left of a block of columns counts
// twice.
double form_of(Matrix x, Matrix h) {
  std::vector<float> products(static_cast<std::size_t>(x.rows * std::min(kColumns, x.cols)));
  double sum = 0;
  for (std::int64_t begin = 0; begin < x.cols; begin += kColumns) {
    const std::int64_t count = std::min(kColumns, x.cols - begin);
    const Matrix here = x.columns(begin, count);
    const auto add = [&](std::int64_t from, std::int64_t to, double times) {
      const View2D<float> y(products.data(), x.rows, count);
      matmul(x.columns(from, to - from), h.rows_from(begin, count).columns(from, to - from), y);
      for (std::int64_t r = 0; r < x.rows; ++r) {
        for (std::size_t k = 0; k < here.row(r).size(); ++k)
          sum += times * static_cast<double>(here.row(r)[k]) * static_cast<double>(y.row(r)[k]);
      }
    };
    if (begin > 0) add(0, begin, 2);
    add(begin, begin + count, 1);
  }
  return sum;
}

}  // namespace

Energy output_energy(Matrix w, Matrix q, const InputStatistics& inputs,
                     std::optional<double> left) {
  Energy sum;
  if (inputs.moments.cols != w.cols) {
    for (std::int64_t r = 0; r < w.rows && !inputs.importance.empty(); ++r)
      sum += weighted_energy(w.row(r), q.row(r), inputs.importance);
    return sum;
  }
  Energy damped;
  for (std::int64_t r = 0; r < w.rows && !inputs.damping.empty(); ++r)
    damped += weighted_energy(w.row(r), q.row(r), inputs.damping);
  const auto form = [&](Matrix x, double of_damping) {
    return std::max(0.0, form_of(x, inputs.moments) - of_damping);
  };
  if (!left) {
    const std::vector<float> error = difference(w, q);
    const bool same = std::ranges::all_of(error, [](float e) { return e == 0; });
    left = same ? 0 : form({error.data(), w.rows, w.cols}, damped.error);
  }
  return {form(w, damped.signal), *left};
}

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
