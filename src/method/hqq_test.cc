// HQQ on every grid: its objective.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "method/method.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kCols = 512;

// Student t, 3 degrees of freedom.
const std::vector<float>& heavy() {
  static const std::vector<float> w = [] {
    Random random(11);
    std::vector<float> all;
    for (std::int64_t i = 0; i < kRows * kCols; ++i) {
      const double a = random.normal(), b = random.normal(), c = random.normal();
      all.push_back(
          static_cast<float>(0.02 * random.normal() / std::sqrt((a * a + b * b + c * c) / 3)));
    }
    return all;
  }();
  return w;
}

using Planes = std::vector<std::vector<std::byte>>;

Planes coded(const char* method, const Grid& grid, Matrix w, Floats importance) {
  Planes planes;
  std::vector<std::byte*> out;
  for (std::size_t p = 0; p < grid.planes().size(); ++p)
    planes.emplace_back(static_cast<std::size_t>(w.rows * grid.row_bytes(p, w.cols)));
  for (auto& plane : planes) out.push_back(plane.data());
  InputStatistics inputs;
  inputs.importance = importance;
  make_coder(method)->code(grid, w, inputs, out);
  return planes;
}

std::vector<float> decoded(const Grid& grid, const Planes& planes, Matrix w) {
  std::vector<const std::byte*> in;
  for (const auto& plane : planes) in.push_back(plane.data());
  std::vector<float> out(static_cast<std::size_t>(w.rows * w.cols));
  grid.decode(in, {out.data(), w.rows, w.cols});
  return out;
}

// sum h |w - q|^(3/4) of one row.
double objective(Floats w, Floats q, Floats h) {
  double sum = 0;
  for (std::size_t j = 0; j < w.size(); ++j)
    sum += (h.empty() ? 1.0 : static_cast<double>(h[j])) *
           std::pow(std::fabs(static_cast<double>(w[j]) - static_cast<double>(q[j])), 0.75);
  return sum;
}

std::vector<std::string> specs() {
  std::vector<std::string> all;
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples()) all.push_back(spec);
  }
  return all;
}

class HqqGrids : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    grid_ = make_grid(GetParam());
    rows_ = grid_->whole_tensor() ? 1 : kRows;
    cols_ = grid_->whole_tensor() ? kRows * kCols : kCols;
    if (!grid_->why_not(cols_).empty()) GTEST_SKIP() << grid_->why_not(cols_);
  }
  Matrix weights() const { return {heavy().data(), rows_, cols_}; }

  std::unique_ptr<Grid> grid_;
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
};

// It begins at mse's parameters, and takes no gain that its own sums can't tell. The sums here are
// libm's: 2^-40 is far above what they differ by.
TEST_P(HqqGrids, NoRowIsWorseThanWithMse) {
  std::vector<float> h;
  for (std::int64_t j = 0; j < cols_; ++j) h.push_back(static_cast<float>(1 + j % 7));
  for (const Floats importance : {Floats(), Floats(h)}) {
    const auto before = decoded(*grid_, coded("mse", *grid_, weights(), importance), weights());
    const auto after = decoded(*grid_, coded("hqq", *grid_, weights(), importance), weights());
    for (std::int64_t r = 0; r < rows_; ++r) {
      const auto row = [&](const std::vector<float>& all) {
        return Matrix(all.data(), rows_, cols_).row(r);
      };
      const double was = objective(weights().row(r), row(before), importance);
      EXPECT_LE(objective(weights().row(r), row(after), importance), was * (1 + 0x1p-40)) << r;
    }
  }
}

TEST_P(HqqGrids, TilesOfRowsHaveTheSameBytes) {
  const Planes together = coded("hqq", *grid_, weights(), {});
  Planes alone(together.size());
  for (std::int64_t r = 0; r < rows_; ++r) {
    const Planes one = coded("hqq", *grid_, Matrix(weights().row(r).data(), 1, cols_), {});
    for (std::size_t p = 0; p < one.size(); ++p)
      alone[p].insert(alone[p].end(), one[p].begin(), one[p].end());
  }
  EXPECT_EQ(alone, together);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace(name, ':', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, HqqGrids, testing::ValuesIn(specs()), test_name);

TEST(Hqq, LowersTheObjectiveOfHeavyTails) {
  const Matrix w(heavy().data(), kRows, kCols);
  for (const char* spec : {"int4:g64", "int3:g64:min", "int4:g128:zero", "int3:channel", "q4_0",
                           "q4_k", "q3_k", "q2_k", "iq4_xs", "nf4:g64"}) {
    const auto grid = make_grid(spec);
    const auto of = [&](const char* method) {
      const auto q = decoded(*grid, coded(method, *grid, w, {}), w);
      return objective(Floats(heavy()), Floats(q), {});
    };
    EXPECT_LT(of("hqq"), of("mse")) << spec;
  }
}

}  // namespace
}  // namespace zp
