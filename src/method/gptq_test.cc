// GPTQ beside a dense reference in FP64: errors spread through the inverse of H itself, which is
// reduced column by column, as the papers before the Cholesky form have it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "method/feedback.h"
#include "method/method.h"

namespace zp {
namespace {

struct Layer {
  std::int64_t rows;
  std::int64_t cols;
  std::vector<float> w;
  std::vector<double> h;  // damped already
  std::vector<float> importance;
  std::vector<float> factor;

  Matrix weights() const { return {w.data(), rows, cols}; }
  InputStatistics inputs() const { return {importance, {factor.data(), cols, cols}}; }
};

// Inputs whose neighbours are alike, of `samples` tokens; every 50th column is dead.
Layer make_layer(std::int64_t rows, std::int64_t cols, std::int64_t samples) {
  Layer layer{rows, cols, {}, std::vector<double>(static_cast<std::size_t>(cols * cols)), {}, {}};
  Random random(static_cast<std::uint64_t>(rows * 1000 + cols + samples));
  for (std::int64_t i = 0; i < rows * cols; ++i)
    layer.w.push_back(static_cast<float>(random.normal()));
  const auto n = static_cast<std::size_t>(cols);
  for (std::int64_t s = 0; s < samples; ++s) {
    std::vector<double> x(n);
    double before = 0;
    for (std::size_t j = 0; j < n; ++j) {
      before = 0.8 * before + random.normal();
      x[j] = j % 50 == 49 ? 0 : before;
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) layer.h[i * n + j] += x[i] * x[j];
    }
  }
  std::vector<double> scratch = layer.h;
  layer.factor = feedback_factor({scratch.data(), cols, cols}, Team(1));
  double mean = 0;
  for (std::size_t j = 0; j < n; ++j) mean += layer.h[j * n + j] / static_cast<double>(cols);
  for (std::size_t j = 0; j < n; ++j) {
    layer.h[j * n + j] += 0.01 * mean;
    layer.importance.push_back(static_cast<float>(layer.h[j * n + j]));
  }
  return layer;
}

struct Planes {
  Planes(const Grid& grid, std::int64_t rows, std::int64_t cols) {
    for (std::size_t p = 0; p < grid.planes().size(); ++p)
      bytes.emplace_back(static_cast<std::size_t>(rows * grid.row_bytes(p, cols)));
  }
  std::vector<std::byte*> out() {
    std::vector<std::byte*> all;
    for (auto& plane : bytes) all.push_back(plane.data());
    return all;
  }
  std::vector<std::vector<std::byte>> bytes;
};

Planes coded(std::string_view method, const Grid& grid, Matrix w, const InputStatistics& inputs) {
  Planes planes(grid, w.rows, w.cols);
  find_method(method).code(grid, w, inputs, planes.out());
  return planes;
}

std::vector<float> decoded(const Grid& grid, Planes planes, std::int64_t rows, std::int64_t cols) {
  std::vector<float> out(static_cast<std::size_t>(rows * cols));
  const std::vector<std::byte*> planes_out = planes.out();
  const std::vector<const std::byte*> in(planes_out.begin(), planes_out.end());
  grid.decode(in, {out.data(), rows, cols});
  return out;
}

std::vector<float> run(std::string_view method, const Grid& grid, const Layer& layer) {
  return decoded(grid, coded(method, grid, layer.weights(), layer.inputs()), layer.rows,
                 layer.cols);
}

// tr((W - Q) H (W - Q)^T)
double output_error(const Layer& layer, const std::vector<float>& q) {
  const auto n = static_cast<std::size_t>(layer.cols);
  double sum = 0;
  for (std::size_t r = 0; r < q.size(); r += n) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        sum += (static_cast<double>(layer.w[r + i]) - q[r + i]) * layer.h[i * n + j] *
               (static_cast<double>(layer.w[r + j]) - q[r + j]);
      }
    }
  }
  return sum;
}

std::vector<double> inverse(std::vector<double> a, std::size_t n) {
  std::vector<double> out(n * n);
  for (std::size_t i = 0; i < n; ++i) out[i * n + i] = 1;
  for (std::size_t p = 0; p < n; ++p) {  // positive definite: no pivoting
    const double pivot = a[p * n + p];
    for (std::size_t j = 0; j < n; ++j) {
      a[p * n + j] /= pivot;
      out[p * n + j] /= pivot;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double times = a[i * n + p];
      if (i == p || times == 0) continue;
      for (std::size_t j = 0; j < n; ++j) {
        a[i * n + j] -= times * a[p * n + j];
        out[i * n + j] -= times * out[p * n + j];
      }
    }
  }
  return out;
}

float encode_one(const Grid& grid, const std::byte* params, std::int64_t j, double w) {
  const auto value = static_cast<float>(w);
  Code code = 0;
  float out = 0;
  grid.encode(params, j, {&value, 1, 1}, {&code, 1, 1}, {&out, 1, 1});
  return out;
}

// One row; grids of steps of one column, and of one unit a block.
std::vector<float> reference_row(const Grid& grid, const Layer& layer, std::size_t row,
                                 double nudge, std::vector<bool>* ties) {
  const auto n = static_cast<std::size_t>(layer.cols);
  const GridShape shape = grid.shape(layer.cols);
  std::vector<double> inv = inverse(layer.h, n);
  std::vector<double> w(layer.w.begin() + static_cast<std::ptrdiff_t>(row * n),
                        layer.w.begin() + static_cast<std::ptrdiff_t>((row + 1) * n));
  std::vector<std::byte> params(static_cast<std::size_t>(grid.params_bytes(layer.cols)));
  std::vector<float> q;
  for (std::size_t j = 0; j < n; ++j) {
    const auto block = static_cast<std::size_t>(shape.block);
    if (j % block == 0) {
      const std::size_t size = std::min(block, n - j);
      const std::vector<float> now(w.begin() + static_cast<std::ptrdiff_t>(j),
                                   w.begin() + static_cast<std::ptrdiff_t>(j + size));
      const Floats h = Floats(layer.importance).subspan(j, size);
      const Matrix part(now.data(), 1, static_cast<std::int64_t>(size));
      grid.open_block(params.data(), part, h, Fit::search);
      grid.open_unit(params.data(), 0, part, h, Fit::search);
    }
    const auto in_block = static_cast<std::int64_t>(j % block);
    q.push_back(encode_one(grid, params.data(), in_block, w[j]));
    ties->push_back(encode_one(grid, params.data(), in_block, w[j] - nudge) !=
                    encode_one(grid, params.data(), in_block, w[j] + nudge));
    const double error = (w[j] - q.back()) / inv[j * n + j];
    const std::vector<double> column(inv.begin() + static_cast<std::ptrdiff_t>(j * n),
                                     inv.begin() + static_cast<std::ptrdiff_t>((j + 1) * n));
    for (std::size_t k = j; k < n; ++k) w[k] -= error * column[k];
    for (std::size_t i = j; i < n; ++i) {
      for (std::size_t k = j; k < n; ++k) inv[i * n + k] -= column[i] * column[k] / column[j];
    }
  }
  return q;
}

// Rows agree up to their first weight that stands nearly between two values.
void expect_as_reference(const char* spec, const Layer& layer) {
  constexpr double kNudge = 1e-4;  // 2^-13: FP32's 2^-24 through some hundred sums, and to spare
  const auto grid = make_grid(spec);
  const std::vector<float> ours = run("gptq", *grid, layer);
  const auto n = static_cast<std::size_t>(layer.cols);
  std::size_t compared = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(layer.rows); ++r) {
    std::vector<bool> ties;
    const std::vector<float> theirs = reference_row(*grid, layer, r, kNudge, &ties);
    for (std::size_t j = 0; j < n; ++j) {
      // Scales fitted to weights that differ by their last bits differ by theirs.
      const bool same = std::fabs(ours[r * n + j] - theirs[j]) <= 1e-5f * std::fabs(theirs[j]);
      if (!same && ties[j]) break;
      ASSERT_TRUE(same) << spec << ", row " << r << ", column " << j << ": " << ours[r * n + j]
                        << " for " << theirs[j];
      ++compared;
    }
  }
  EXPECT_GT(compared, ours.size() * 9 / 10) << spec << ": hardly any tie is expected";
}

TEST(Gptq, HasTheCodesOfADenseReference) {
  const Layer layer = make_layer(8, 160, 400);
  for (const char* spec : {"int4:g32", "int3:g64", "int8:channel", "int4:channel", "int4:g32:zero"})
    expect_as_reference(spec, layer);
}

TEST(Gptq, HasTheCodesOfADenseReferenceWithFewTokens) {
  expect_as_reference("int4:g32", make_layer(8, 96, 1));
  expect_as_reference("int4:g32", make_layer(8, 96, 30));
}

std::vector<std::string> specs() {
  std::vector<std::string> all;
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples()) {
      if (!make_grid(spec)->whole_tensor()) all.push_back(spec);
    }
  }
  return all;
}

class GptqGrids : public testing::TestWithParam<std::string> {};

// Where nothing is known of the inputs no error is spread: every block, unit and step is that of
// the walk without feedback.
TEST_P(GptqGrids, WithoutCorrelationsTheBytesAreThoseOfMse) {
  const auto grid = make_grid(GetParam());
  static const Layer layer = [] {
    Layer made = make_layer(3, 768, 1);
    std::vector<double> nothing(made.h.size());
    made.factor = feedback_factor({nothing.data(), made.cols, made.cols}, Team(1));
    return made;
  }();
  if (!grid->why_not(layer.cols).empty()) GTEST_SKIP() << grid->why_not(layer.cols);
  EXPECT_EQ(coded("gptq", *grid, layer.weights(), layer.inputs()).bytes,
            coded("mse", *grid, layer.weights(), layer.inputs()).bytes);
}

TEST_P(GptqGrids, OutputErrorIsBelowThatOfMse) {
  const auto grid = make_grid(GetParam());
  static const Layer layer = make_layer(4, 512, 300);
  if (!grid->why_not(layer.cols).empty()) GTEST_SKIP() << grid->why_not(layer.cols);
  const double mse = output_error(layer, run("mse", *grid, layer));
  const double gptq = output_error(layer, run("gptq", *grid, layer));
  if (mse == 0) {
    EXPECT_EQ(gptq, 0);
  } else {
    EXPECT_LT(gptq, mse);
  }
}

TEST_P(GptqGrids, TilesOfRowsHaveTheSameBytes) {
  const auto grid = make_grid(GetParam());
  static const Layer layer = make_layer(3, 256, 100);
  if (!grid->why_not(layer.cols).empty()) GTEST_SKIP() << grid->why_not(layer.cols);
  const std::vector<float> together = run("gptq", *grid, layer);
  std::vector<float> alone;
  for (std::int64_t r = 0; r < layer.rows; ++r) {
    const Matrix row(layer.w.data() + r * layer.cols, 1, layer.cols);
    const std::vector<float> one =
        decoded(*grid, coded("gptq", *grid, row, layer.inputs()), 1, layer.cols);
    alone.insert(alone.end(), one.begin(), one.end());
  }
  EXPECT_EQ(alone, together);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, GptqGrids, testing::ValuesIn(specs()), test_name);

}  // namespace
}  // namespace zp
