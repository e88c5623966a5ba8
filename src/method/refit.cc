#include "method/refit.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel/double_dot.h"
#include "kernel/transpose.h"

namespace zp {
namespace {

constexpr std::int64_t kLongest = 256;
constexpr std::int64_t kWindow = 64;  // of whole units, or one

// The columns of one unit, from `begin` on, numbered from 0.
class Unit {
 public:
  Unit(std::int64_t begin, float limit, CodedTile& tile, ErrorGradient& gradient)
      : begin_(begin),
        count_(tile.unit_end(begin) - begin),
        limit_(limit),
        tile_(tile),
        gradient_(gradient),
        root_(size(count_ * count_)),
        costs_(size(count_)),
        owed_(size(tile.rows())),
        goal_(size(tile.rows() * count_)) {}

  void refit() {
    if (!find_root()) return;
    aim();
    const CodedTile::Part before = tile_.part(begin_, begin_ + count_);
    std::vector<float> by_row(goal_.size());
    transpose(Matrix(goal_.data(), count_, tile_.rows()),
              View2D<float>(by_row.data(), tile_.rows(), count_));
    tile_.open_unit(begin_, {by_row.data(), tile_.rows(), count_}, costs_);
    std::vector<double> owed(size(tile_.rows()));
    Columns errors(goal_.size());
    for (std::int64_t k = 0; k < count_; ++k) code(k, errors, owed);
    for (std::int64_t r = 0; r < tile_.rows(); ++r) {
      // What FP32 can't tell apart is no gain.
      if (!(owed[size(r)] < owed_[size(r)] * (1 - 0x1p-20))) tile_.put_back(begin_, before, r);
    }
    std::vector<float> by(size(tile_.rows()));
    for (std::int64_t k = 0; k < count_; ++k) {
      std::ranges::transform(Matrix(before.values.data(), count_, tile_.rows()).row(k),
                             tile_.column(begin_ + k), by.begin(), std::minus());
      gradient_.follow(begin_ + k, by, begin_ + count_);
    }
  }

 private:
  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }
  double& root(std::int64_t i, std::int64_t j) { return root_[size(i * count_ + j)]; }
  float* goal(std::int64_t k) { return &goal_[size(k * tile_.rows())]; }

  // H_uu = R R^T, R upper triangular. False: not positive definite, for rounding.
  bool find_root() {
    for (std::int64_t j = count_ - 1; j >= 0; --j) {
      for (std::int64_t i = j; i >= 0; --i) {
        double rest = gradient_.h().row(begin_ + i)[size(begin_ + j)];
        for (std::int64_t k = j + 1; k < count_; ++k) rest -= root(i, k) * root(j, k);
        if (i == j && !(rest > 0)) return false;
        root(i, j) = i == j ? std::sqrt(rest) : rest / root(j, j);
      }
      costs_[size(j)] = static_cast<float>(root(j, j) * root(j, j));
    }
    return true;
  }

  // Columns of all rows, one behind the other.
  using Columns = std::vector<double>;
  double* column(Columns& all, std::int64_t k) const { return &all[size(k * tile_.rows())]; }

  // Each row's goal t = q + x, x R R^T = G; and what it owes: |x R|^2.
  void aim() {
    const std::int64_t rows = tile_.rows();
    std::ranges::fill(owed_, 0.0);
    Columns z(goal_.size());
    for (std::int64_t j = count_ - 1; j >= 0; --j) {
      double* const rest = column(z, j);
      std::ranges::copy(gradient_.column(begin_ + j), rest);
      for (std::int64_t k = j + 1; k < count_; ++k)
        add_scaled(rest, column(z, k), -root(j, k), rows);
      for (std::int64_t r = 0; r < rows; ++r) {
        rest[r] /= root(j, j);
        owed_[size(r)] += rest[r] * rest[r];
      }
    }
    for (std::int64_t k = 0; k < count_; ++k) {  // x comes where z was
      double* const rest = column(z, k);
      for (std::int64_t i = 0; i < k; ++i) add_scaled(rest, column(z, i), -root(i, k), rows);
      const Floats values = tile_.column(begin_ + k);
      for (std::int64_t r = 0; r < rows; ++r) {
        rest[r] /= root(k, k);
        goal(k)[r] = std::clamp(static_cast<float>(values[size(r)] + rest[r]), -limit_, limit_);
      }
    }
  }

  // Column k of all rows: the value that leaves (e R)_k = 0, e = q - t, and what the nearest code
  // leaves of it.
  void code(std::int64_t k, Columns& errors, std::vector<double>& owed) {
    std::vector<float> wanted(size(tile_.rows()));
    std::vector<double> spread(wanted.size());
    for (std::int64_t i = 0; i < k; ++i)
      add_scaled(spread.data(), column(errors, i), root(i, k), tile_.rows());
    for (std::int64_t r = 0; r < tile_.rows(); ++r) {
      const double w = goal(k)[r] - spread[size(r)] / root(k, k);
      wanted[size(r)] = std::clamp(static_cast<float>(w), -limit_, limit_);
    }
    tile_.encode(begin_ + k, {wanted.data(), 1, tile_.rows()});
    const Floats values = tile_.column(begin_ + k);
    for (std::int64_t r = 0; r < tile_.rows(); ++r) {
      double& error = column(errors, k)[r];
      error = static_cast<double>(values[size(r)]) - goal(k)[r];
      const double left = error * root(k, k) + spread[size(r)];
      owed[size(r)] += left * left;
    }
  }

  std::int64_t begin_;
  std::int64_t count_;
  float limit_;
  CodedTile& tile_;
  ErrorGradient& gradient_;
  std::vector<double> root_;  // R
  std::vector<float> costs_;  // of an error in each column, once those behind have made up for it
  std::vector<double> owed_;  // of each row, as it was
  std::vector<float> goal_;   // t, column after column
};

}  // namespace

void refit(float limit, CodedTile& tile, ErrorGradient& gradient) {
  if (tile.shape().step > 1) return;
  for (std::int64_t begin = 0; begin < tile.cols();) {
    std::int64_t end = tile.unit_end(begin);
    if (end - begin > kLongest) {
      begin = end;
      continue;
    }
    while (end < tile.cols() && tile.unit_end(end) - begin <= kWindow) end = tile.unit_end(end);
    gradient.open(begin, end);
    for (; begin < end; begin = tile.unit_end(begin)) Unit(begin, limit, tile, gradient).refit();
    gradient.close();
  }
}

}  // namespace zp
