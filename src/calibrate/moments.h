// Second moments of a linear layer's inputs, and how large each input becomes.
//
// H = sum x x^T over the rows x of every add(), of which the diagonal alone where no more is asked
// for. Products of one add() are summed in FP32 in the order of kernel/matmul.h, the sums of the
// calls in FP64 in the order of the calls: the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "base/view.h"

namespace zp {

/// sums[i][j] += the sum over rows r of x[r][i] y[r][j], for every output.
void add_products(Matrix x, Matrix y, View2D<float> sums, const Team& team);

class Moments {
 public:
  Moments(std::int64_t columns, bool full);
  /// Of `rows` rows, as triangle() gave it: full.
  Moments(std::int64_t columns, std::int64_t rows, Bytes triangle);

  void add(Matrix x, const Team& team);

  std::int64_t rows() const { return rows_; }
  /// The mean square of each column and, so that none counts for nothing, a hundredth of their
  /// mean. Empty when there was nothing but zeros.
  std::vector<float> importance() const;
  /// The diagonal: of each column the sum of squares.
  std::vector<float> squares() const;
  /// The lower triangle row after row, rounded to FP32; only when full.
  std::vector<float> triangle() const;
  /// Of each column the largest magnitude; not known of moments from a file.
  Floats largest() const { return largest_; }
  /// columns x columns, the lower triangle; only when full.
  View2D<const double> h() const { return {sums_.data(), columns_, columns_}; }
  View2D<double> h() { return {sums_.data(), columns_, columns_}; }

  static std::int64_t bytes(std::int64_t columns, bool full);

 private:
  void add_largest(Matrix x);
  void add_squares(Matrix x);

  std::int64_t columns_;
  bool full_;
  std::int64_t rows_ = 0;
  std::vector<double> sums_;  // the matrix, or its diagonal
  std::vector<float> largest_;
};

}  // namespace zp
