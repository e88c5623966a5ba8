#include "engine/low_rank.h"

#include <algorithm>
#include <cstdint>

#include "base/checked.h"
#include "kernel/functions.h"
#include "kernel/matmul.h"
#include "kernel/transpose.h"

namespace zp {
namespace {

constexpr std::int64_t kRowsAtOnce = 64;      // of activations, for one thread
constexpr std::int64_t kColumnsAtOnce = 256;  // of a matrix, the same

std::vector<float> floats(std::int64_t rows, std::int64_t cols) {
  return std::vector<float>(static_cast<std::size_t>(rows * cols));
}

void scale_rows(View2D<float> x, float factor) {
  for (std::int64_t r = 0; r < x.rows; ++r) scale(x.row(r), factor);
}

void add_rows(View2D<float> x, Matrix y) {
  for (std::int64_t r = 0; r < x.rows; ++r) add(x.row(r), y.row(r));
}

// f(begin, count) over [0, all), so many at once.
template <class F>
void each_part(std::int64_t all, std::int64_t at_once, const Team& team, const F& f) {
  team.run(ceil_div(all, at_once), [&](std::int64_t part) {
    const std::int64_t begin = part * at_once;
    f(begin, std::min(at_once, all - begin));
  });
}

// x^T y, columns of y shared over threads: each sum over rows in ascending order.
std::vector<float> over_rows(Matrix x, Matrix y, const Team& team) {
  std::vector<float> turned = floats(x.cols, x.rows);
  transpose(x, {turned.data(), x.cols, x.rows});
  std::vector<float> out = floats(x.cols, y.cols);
  const View2D<float> to(out.data(), x.cols, y.cols);
  each_part(y.cols, kColumnsAtOnce, team, [&](std::int64_t begin, std::int64_t count) {
    weighted_rows({turned.data(), x.cols, x.rows}, y.columns(begin, count),
                  to.columns(begin, count));
  });
  return out;
}

}  // namespace

void add_low_rank(const LowRank& adapter, Matrix x, View2D<float> y, const Team& team) {
  const std::int64_t rank = adapter.a.rows;
  each_part(x.rows, kRowsAtOnce, team, [&](std::int64_t begin, std::int64_t count) {
    std::vector<float> inner = floats(count, rank);
    std::vector<float> outer = floats(count, y.cols);
    const View2D<float> u(inner.data(), count, rank);
    const View2D<float> added(outer.data(), count, y.cols);
    matmul(x.rows_from(begin, count), adapter.a, u);
    matmul(u, adapter.b, added);
    scale_rows(added, adapter.scale);
    add_rows(y.rows_from(begin, count), added);
  });
}

LowRankGradient low_rank_gradient(const LowRank& adapter, Matrix x, Matrix gradient,
                                  View2D<float> of_x, const Team& team) {
  const std::int64_t rank = adapter.a.rows;
  std::vector<float> inner = floats(x.rows, rank);
  std::vector<float> of_inner = floats(x.rows, rank);
  const View2D<float> u(inner.data(), x.rows, rank);
  const View2D<float> du(of_inner.data(), x.rows, rank);
  each_part(x.rows, kRowsAtOnce, team, [&](std::int64_t begin, std::int64_t count) {
    std::vector<float> sums = floats(count, x.cols);
    const View2D<float> added(sums.data(), count, x.cols);
    matmul(x.rows_from(begin, count), adapter.a, u.rows_from(begin, count));
    scale_rows(u.rows_from(begin, count), adapter.scale);
    weighted_rows(gradient.rows_from(begin, count), adapter.b, du.rows_from(begin, count));
    scale_rows(du.rows_from(begin, count), adapter.scale);
    weighted_rows(du.rows_from(begin, count), adapter.a, added);
    add_rows(of_x.rows_from(begin, count), added);
  });
  LowRankGradient out{over_rows(du, x, team), floats(gradient.cols, rank)};
  const std::vector<float> turned = over_rows(u, gradient, team);
  transpose<float>({turned.data(), rank, gradient.cols}, {out.b.data(), gradient.cols, rank});
  return out;
}

}  // namespace zp
