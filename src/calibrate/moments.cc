#include "calibrate/moments.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "kernel/matmul.h"
#include "kernel/transpose.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 256;     // of H, for one thread at a time
constexpr std::int64_t kColumns = 384;  // the products of a tile stay in the second cache

std::size_t place(std::int64_t i) { return static_cast<std::size_t>(i); }

// The transpose, rows apart by `stride`.
std::vector<float> turned(Matrix x, std::int64_t stride, const Team& team) {
  std::vector<float> out(place(x.cols * stride));
  team.run(ceil_div(x.cols, kRows), [&](std::int64_t part) {
    const std::int64_t begin = part * kRows;
    const std::int64_t count = std::min(kRows, x.cols - begin);
    transpose(x.columns(begin, count), {out.data() + begin * stride, count, x.rows, stride});
  });
  return out;
}

// sums[i][j] += sum x[r][i] y[r][j]; where `lower`, of j <= i alone.
template <class Sum>
void add(Matrix x, Matrix y, bool lower, View2D<Sum> sums, const Team& team) {
  const std::int64_t stride = row_stride(x.rows);
  const std::vector<float> left = turned(x, stride, team);
  const bool same = x.data == y.data;
  const std::vector<float> other = same ? std::vector<float>() : turned(y, stride, team);
  const std::vector<float>& right = same ? left : other;
  const std::int64_t parts = ceil_div(x.cols, kRows);
  team.run(parts, [&](std::int64_t part) {
    thread_local std::vector<float> products;
    products.resize(place(kRows * kColumns));
    const std::int64_t begin = (parts - 1 - part) * kRows;  // the longest rows first
    const std::int64_t rows = std::min(kRows, x.cols - begin);
    const std::int64_t end = lower ? begin + rows : y.cols;
    for (std::int64_t c = 0; c < end; c += kColumns) {
      const std::int64_t count = std::min(kColumns, end - c);
      const View2D<float> tile(products.data(), rows, count);
      matmul(Matrix(left.data() + begin * stride, rows, x.rows, stride),
             Matrix(right.data() + c * stride, count, x.rows, stride), tile);
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::span<Sum> to = sums.columns(c, count).row(begin + i);
        const std::int64_t wanted = lower ? std::min(count, begin + i + 1 - c) : count;
        for (std::int64_t k = 0; k < wanted; ++k)
          to[place(k)] += static_cast<Sum>(tile.row(i)[place(k)]);
      }
    }
  });
}

}  // namespace

void add_products(Matrix x, Matrix y, View2D<float> sums, const Team& team) {
  add(x, y, false, sums, team);
}

Moments::Moments(std::int64_t columns, bool full)
    : columns_(columns),
      full_(full),
      sums_(place(full ? checked_mul(columns, columns, "second moments") : columns)) {}

Moments::Moments(std::int64_t columns, std::int64_t rows, Bytes triangle) : Moments(columns, true) {
  rows_ = rows;
  std::vector<float> row(place(columns));
  for (std::int64_t i = 0, at = 0; i < columns; at += ++i) {
    std::memcpy(row.data(), triangle.data() + place(at) * sizeof(float),
                place(i + 1) * sizeof(float));
    std::copy_n(row.begin(), i + 1, sums_.begin() + i * columns);
  }
}

std::vector<float> Moments::squares() const {
  std::vector<float> out;
  for (std::int64_t j = 0; j < columns_; ++j)
    out.push_back(static_cast<float>(sums_[place(full_ ? j * (columns_ + 1) : j)]));
  return out;
}

std::vector<float> Moments::triangle() const {
  std::vector<float> out;
  out.reserve(place(columns_ * (columns_ + 1) / 2));
  for (std::int64_t i = 0; i < columns_; ++i) {
    for (std::int64_t j = 0; j <= i; ++j)
      out.push_back(static_cast<float>(sums_[place(i * columns_ + j)]));
  }
  return out;
}

std::int64_t Moments::bytes(std::int64_t columns, bool full) {
  const std::int64_t sums = full ? checked_mul(columns, columns, "second moments") : columns;
  return checked_mul(sums, static_cast<std::int64_t>(sizeof(double)), "second moments");
}

void Moments::add(Matrix x, const Team& team) {
  rows_ += x.rows;
  add_largest(x);
  if (full_) {
    zp::add(x, x, true, h(), team);
  } else {
    add_squares(x);
  }
}

void Moments::add_largest(Matrix x) {
  largest_.resize(place(columns_));
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const Floats row = x.row(r);
    for (std::size_t j = 0; j < row.size(); ++j)
      largest_[j] = std::max(largest_[j], std::fabs(row[j]));
  }
}

void Moments::add_squares(Matrix x) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const Floats row = x.row(r);
    for (std::size_t j = 0; j < row.size(); ++j)
      sums_[j] += static_cast<double>(row[j]) * static_cast<double>(row[j]);
  }
}

std::vector<float> Moments::importance() const {
  std::vector<double> squares;
  double mean = 0;
  for (std::int64_t j = 0; j < columns_; ++j) {
    squares.push_back(sums_[place(full_ ? j * (columns_ + 1) : j)] /
                      static_cast<double>(std::max(rows_, std::int64_t{1})));
    mean += squares.back() / static_cast<double>(columns_);
  }
  std::vector<float> out;
  if (!(mean > 0)) return out;
  for (const double s : squares) out.push_back(static_cast<float>(s + mean / 100));
  return out;
}

}  // namespace zp
