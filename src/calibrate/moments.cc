#include "calibrate/moments.h"

#include <algorithm>

#include "base/checked.h"
#include "kernel/matmul.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 96;      // of H, for one thread at a time
constexpr std::int64_t kColumns = 768;  // the products of a tile stay in the second cache

std::size_t place(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

Moments::Moments(std::int64_t columns, bool full)
    : columns_(columns),
      full_(full),
      sums_(place(full ? checked_mul(columns, columns, "second moments") : columns)) {}

std::int64_t Moments::bytes(std::int64_t columns, bool full) {
  const std::int64_t sums = full ? checked_mul(columns, columns, "second moments") : columns;
  return checked_mul(sums, static_cast<std::int64_t>(sizeof(double)), "second moments");
}

void Moments::add(Matrix x, const Team& team) {
  rows_ += x.rows;
  if (full_) {
    add_products(x, team);
  } else {
    add_squares(x);
  }
}

void Moments::add_squares(Matrix x) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const Floats row = x.row(r);
    for (std::size_t j = 0; j < row.size(); ++j)
      sums_[j] += static_cast<double>(row[j]) * static_cast<double>(row[j]);
  }
}

void Moments::add_products(Matrix x, const Team& team) {
  const std::int64_t stride = row_stride(x.rows);
  std::vector<float> turned(place(columns_ * stride));
  team.run(ceil_div(columns_, kRows), [&](std::int64_t part) {
    for (std::int64_t i = part * kRows; i < std::min(columns_, (part + 1) * kRows); ++i) {
      for (std::int64_t r = 0; r < x.rows; ++r)
        turned[place(i * stride + r)] = x.data[r * x.stride + i];
    }
  });
  team.run(ceil_div(columns_, kRows), [&](std::int64_t part) {
    thread_local std::vector<float> products;
    products.resize(place(kRows * kColumns));
    const std::int64_t begin = part * kRows;
    const std::int64_t rows = std::min(kRows, columns_ - begin);
    for (std::int64_t c = 0; c < begin + rows; c += kColumns) {
      const std::int64_t count = std::min(kColumns, begin + rows - c);
      const View2D<float> tile(products.data(), rows, count);
      matmul(Matrix(turned.data() + begin * stride, rows, x.rows, stride),
             Matrix(turned.data() + c * stride, count, x.rows, stride), tile);
      for (std::int64_t i = 0; i < rows; ++i) {
        double* const to = sums_.data() + (begin + i) * columns_ + c;
        const std::int64_t lower = std::min(count, begin + i + 1 - c);
        for (std::int64_t k = 0; k < lower; ++k)
          to[k] += static_cast<double>(tile.row(i)[place(k)]);
      }
    }
  });
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
