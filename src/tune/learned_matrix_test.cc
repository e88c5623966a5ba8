#include "tune/learned_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kCols = 256;

std::vector<float> random_floats(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(static_cast<float>(random.normal()));
  return out;
}

std::vector<float> all_of(const RowReader& rows) {
  std::vector<float> out(static_cast<std::size_t>(rows.rows() * rows.cols()));
  rows.read(0, rows.rows(), out.data());
  return out;
}

// What the grid makes of the master, to the bit, before and behind a change.
TEST(LearnedMatrix, IsCodedAsItsMasterIs) {
  const Team team(2);
  for (const char* spec : {"int4:g64:min", "int3:g32:zero", "q4_k", "q3_k", "q6_k", "nf4:g64"}) {
    const auto start = constant_rows(random_floats(kRows * kCols, 1), kRows, kCols);
    const std::shared_ptr<const Grid> grid = make_grid(spec);
    LearnedMatrix matrix(grid, *start, Learned::all);
    for (const float by : {0.0f, 0.05f}) {
      Random random(3);
      for (const auto& group : matrix.groups()) {
        for (float& v : group.values) v = by * static_cast<float>(random.normal());
      }
      matrix.code(team);
      PlaneBuffers planes;
      const std::vector<float> master = all_of(matrix.master());
      grid->quantize({master.data(), kRows, kCols}, {}, Fit::search,
                     make_room(*grid, kRows, kCols, planes));
      std::vector<float> expected(master.size());
      decode(*grid, planes, {expected.data(), kRows, kCols});
      EXPECT_EQ(all_of(matrix.coded()), expected) << spec;
      std::vector<float> products(kRows);
      const std::vector<float> x = random_floats(kCols, 4);
      matrix.coded().products(0, x, products);
      for (std::int64_t r = 0; r < kRows; ++r) {
        std::vector<float> one(1);
        matrix.coded().products(r, x, one);
        EXPECT_EQ(one[0], products[static_cast<std::size_t>(r)]);
      }
    }
    EXPECT_NE(all_of(matrix.master()), all_of(*start)) << spec;
  }
}

// The master is a linear function of what is trained: a sum g M changes by exactly what the
// gradients say, but for FP32's rounding of each of its terms and of each step on the way.
TEST(LearnedMatrix, GradientsAreThoseOfItsMaster) {
  const auto start = constant_rows(random_floats(kRows * kCols, 1), kRows, kCols);
  LearnedMatrix matrix(make_grid("int4:g64:min"), *start, Learned::all);
  const std::vector<float> g = random_floats(kRows * kCols, 2);
  const auto sum = [&] {
    const std::vector<float> master = all_of(matrix.master());
    return std::inner_product(g.begin(), g.end(), master.begin(), 0.0);
  };
  matrix.add_gradient(0, {g.data(), 3, kCols});
  matrix.add_gradient(3, {g.data() + 3 * kCols, kRows - 3, kCols});
  for (const auto& group : matrix.groups()) {
    const double before = sum();
    double expected = 0;
    Random random(6);
    for (std::size_t i = 0; i < group.values.size(); ++i) {
      group.values[i] = static_cast<float>(random.normal());
      expected += static_cast<double>(group.values[i]) * group.gradients[i];
    }
    constexpr double kOf = kRows * kCols;
    EXPECT_NEAR(sum() - before, expected, 8 * kOf * 0x1p-24 * std::sqrt(kOf));
    EXPECT_GT(std::fabs(expected), 1);
  }
}

TEST(LearnedMatrix, SaysWhatItTakes) {
  const auto grid = make_grid("int4:g64:sym:s16");
  const std::int64_t planes = grid->bytes(kRows, kCols);
  EXPECT_EQ(LearnedMatrix::bytes(*grid, kRows, kCols, Learned::scales), planes + kRows * 4 * 5 * 4);
  EXPECT_EQ(LearnedMatrix::bytes(*grid, kRows, kCols, Learned::all),
            planes + kRows * 4 * 6 * 4 + kRows * kCols * 5 * 4);
}

}  // namespace
}  // namespace zp
