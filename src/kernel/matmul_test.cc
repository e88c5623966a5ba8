// Products against the order of summation that matmul.h states, one by one with std::fma.
#include "kernel/matmul.h"

#include <limits>

#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

float plain_dot(Floats x, Floats y) {
  float lane[16] = {};
  for (std::size_t k = 0; k < (x.size() + 15) / 16 * 16; ++k) {
    const bool there = k < x.size();
    lane[k % 16] = std::fma(there ? x[k] : 0.0f, there ? y[k] : 0.0f, lane[k % 16]);
  }
  for (int half = 8; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

/// A matrix with some floats between its rows.
struct Rows {
  std::vector<float> all;
  Matrix view;
  Rows(std::int64_t rows, std::int64_t cols, std::uint64_t seed)
      : all(normal_floats(static_cast<std::size_t>(rows * (cols + 3)), seed)),
        view(all.data(), rows, cols, cols + 3) {}
};

constexpr float kUntouched = 12345.0f;

/// f(out) into rows x cols with a margin that must stay as it is; what it wrote.
template <class F>
std::vector<float> written(std::int64_t rows, std::int64_t cols, const F& f) {
  const std::int64_t stride = cols + 2;
  std::vector<float> all(static_cast<std::size_t>(rows * stride), kUntouched);
  f(View2D<float>(all.data(), rows, cols, stride));
  std::vector<float> out;
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* row = all.data() + i * stride;
    out.insert(out.end(), row, row + cols);
    EXPECT_EQ(row[cols], kUntouched);
    EXPECT_EQ(row[cols + 1], kUntouched);
  }
  return out;
}

std::vector<float> plain_matmul(Matrix x, Matrix w) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < w.rows; ++j) out.push_back(plain_dot(x.row(i), w.row(j)));
  }
  return out;
}

std::vector<float> plain_weighted_rows(Matrix p, Matrix v) {
  std::vector<float> out(static_cast<std::size_t>(p.rows * v.cols));
  for (std::int64_t i = 0; i < p.rows; ++i) {
    for (std::int64_t j = 0; j < p.cols; ++j) {
      for (std::int64_t c = 0; c < v.cols; ++c) {
        float& sum = out[static_cast<std::size_t>(i * v.cols + c)];
        sum = std::fma(p.row(i)[j], v.row(j)[c], sum);
      }
    }
  }
  return out;
}

struct Shape {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
};

TEST(Matmul, IsTheStatedSumForEveryShapeAndInstructionSet) {
  // One row and few; fewer columns than a tile has; tiles moved back; copied and not; more blocks
  // than one each way; rows cut in depth for short vectors and (the last) for long ones.
  for (const Shape s : {Shape{1, 1, 1},
                        {1, 5, 17},
                        {1, 9, 64},
                        {2, 3, 15},
                        {2, 8, 16},
                        {3, 7, 33},
                        {4, 11, 100},
                        {5, 1, 48},
                        {7, 23, 129},
                        {23, 20, 31},
                        {24, 20, 31},
                        {25, 3, 40},
                        {31, 97, 65},
                        {98, 101, 47},
                        {30, 17, 1000},
                        {200, 10, 520},
                        {6, 12, 4097},
                        {25, 9, 8200},
                        {3, 5, 0}}) {
    SCOPED_TRACE(testing::Message() << s.m << " x " << s.n << " x " << s.k);
    const Rows x(s.m, s.k, 1);
    const Rows w(s.n, s.k, 2);
    const std::vector<float> expected = plain_matmul(x.view, w.view);
    under_every_instruction_set([&] {
      expect_same_bits(written(s.m, s.n, [&](View2D<float> out) { matmul(x.view, w.view, out); }),
                       expected);
    });
  }
}

TEST(Matmul, OfNoRowsWritesNothing) {
  float out = kUntouched;
  const float value = 1;
  matmul({&value, 0, 1}, {&value, 1, 1}, {&out, 0, 1});
  matmul({&value, 1, 1}, {&value, 0, 1}, {&out, 1, 0, 1});
  EXPECT_EQ(out, kUntouched);
}

TEST(Matmul, DotIsTheStatedSum) {
  for (const std::size_t count : {0, 1, 15, 16, 17, 31, 32, 100, 4096, 4099}) {
    const std::vector<float> x = normal_floats(count, 3);
    const std::vector<float> y = normal_floats(count, 4);
    under_every_instruction_set([&] {
      const float sum = dot(x, y);
      expect_same_bits(std::span(&sum, 1), std::vector{plain_dot(x, y)});
    });
  }
}

// Infinities, NaN, zeros of both signs, products that underflow to -0 and sums that overflow.
TEST(Matmul, TreatsExtremeValuesAsItsOrderSays) {
  using Limits = std::numeric_limits<float>;
  constexpr float kAll[] = {0.0f,
                            -0.0f,
                            1.0f,
                            -1.0f,
                            1e-30f,
                            -1e-30f,
                            3e38f,
                            -3e38f,
                            Limits::denorm_min(),
                            -Limits::denorm_min(),
                            Limits::infinity(),
                            Limits::quiet_NaN()};
  Random random(5);
  for (const std::uint32_t kinds : {2u, 6u, 8u, 10u, 11u, 12u}) {
    for (const Shape s : {Shape{1, 30, 21}, {5, 30, 37}, {26, 30, 18}}) {
      Rows x(s.m, s.k, 0);
      Rows w(s.n, s.k, 0);
      for (float& v : x.all) v = kAll[random.below(kinds)];
      for (float& v : w.all) v = kAll[random.below(kinds)];
      const std::vector<float> expected = plain_matmul(x.view, w.view);
      const std::vector<float> weighted =
          plain_weighted_rows(x.view, {w.view.data, s.k, s.n - 9, s.n});
      under_every_instruction_set([&] {
        expect_same_bits(written(s.m, s.n, [&](View2D<float> out) { matmul(x.view, w.view, out); }),
                         expected);
        expect_same_bits(written(s.m, s.n - 9,
                                 [&](View2D<float> out) {
                                   weighted_rows(x.view, {w.view.data, s.k, s.n - 9, s.n}, out);
                                 }),
                         weighted);
      });
    }
  }
}

TEST(Matmul, WeightedRowsIsTheStatedSumForEveryShapeAndInstructionSet) {
  for (const Shape s : {Shape{1, 1, 1},
                        {1, 40, 64},
                        {2, 33, 17},
                        {3, 7, 128},
                        {6, 100, 32},
                        {7, 65, 80},
                        {13, 5, 15},
                        {40, 300, 96},
                        {9, 700, 64},
                        {8, 50, 257},
                        {3, 0, 20}}) {
    SCOPED_TRACE(testing::Message() << s.m << " x " << s.n << " x " << s.k);
    const Rows p(s.m, s.n, 6);
    const Rows v(s.n, s.k, 7);
    const std::vector<float> expected = plain_weighted_rows(p.view, v.view);
    under_every_instruction_set([&] {
      expect_same_bits(
          written(s.m, s.k, [&](View2D<float> out) { weighted_rows(p.view, v.view, out); }),
          expected);
    });
  }
}

TEST(Matmul, RowStrideHoldsTheRowAndIsNoPowerOfTwo) {
  for (const std::int64_t cols : {1, 15, 16, 17, 64, 1000, 2048, 8192}) {
    const std::int64_t stride = row_stride(cols);
    EXPECT_GE(stride, cols);
    EXPECT_LE(stride, cols + 31);
    EXPECT_EQ(stride % 32, 16);
  }
}

}  // namespace
}  // namespace zp
