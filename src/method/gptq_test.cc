// GPTQ beside a dense reference in FP64: errors spread through the inverse of H itself, which is
// reduced column by column, as the papers before the Cholesky form have it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
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
  std::vector<float> moments;
  std::vector<std::int32_t> order;  // of columns; empty: as they stand

  Matrix weights() const { return {w.data(), rows, cols}; }
  InputStatistics inputs() const {
    return {importance, {moments.data(), cols, cols}, {factor.data(), cols, cols}, order, {}, {}};
  }
  // The place of a column in the order they are coded in.
  std::size_t at(std::size_t place) const {
    return order.empty() ? place : static_cast<std::size_t>(order[place]);
  }
};

// The factor of the moments in the layer's order.
void make_factor(Layer& layer, std::vector<double> h) {
  const auto n = static_cast<std::size_t>(layer.cols);
  std::vector<double> ordered(h.size());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) ordered[i * n + j] = h[layer.at(i) * n + layer.at(j)];
  }
  layer.factor = feedback_factor({ordered.data(), layer.cols, layer.cols}, 0.01, Team(1));
}

// Inputs whose neighbours are alike, of `samples` tokens; every 50th column is dead.
Layer make_layer(std::int64_t rows, std::int64_t cols, std::int64_t samples,
                 bool backwards = false) {
  Layer layer{rows, cols, {}, std::vector<double>(static_cast<std::size_t>(cols * cols)),
              {},   {},   {}, {}};
  for (std::int32_t j = 0; backwards && j < cols; ++j)
    layer.order.push_back(static_cast<std::int32_t>(cols) - 1 - j);
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
  make_factor(layer, layer.h);
  double mean = 0;
  for (std::size_t j = 0; j < n; ++j) mean += layer.h[j * n + j] / static_cast<double>(cols);
  for (std::size_t j = 0; j < n; ++j) {
    layer.h[j * n + j] += 0.01 * mean;
    layer.importance.push_back(static_cast<float>(layer.h[j * n + j]));
  }
  for (const double v : layer.h) layer.moments.push_back(static_cast<float>(v));
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
  make_coder(method)->code(grid, w, inputs, planes.out());
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

// What is left of each column's H^-1 when the columns before it are gone: its inverse is what an
// error there costs.
std::vector<float> costs(std::vector<double> inv, std::size_t n) {
  std::vector<float> out;
  for (std::size_t j = 0; j < n; ++j) {
    const std::vector<double> column(inv.begin() + static_cast<std::ptrdiff_t>(j * n),
                                     inv.begin() + static_cast<std::ptrdiff_t>((j + 1) * n));
    out.push_back(static_cast<float>(1 / column[j]));
    for (std::size_t i = j; i < n; ++i) {
      for (std::size_t k = j; k < n; ++k) inv[i * n + k] -= column[i] * column[k] / column[j];
    }
  }
  return out;
}

// One row in FP64; grids of steps of one column, and of one unit a block.
class ReferenceRow {
 public:
  ReferenceRow(const Grid& grid, const Layer& layer, std::size_t row)
      : grid_(grid),
        layer_(layer),
        n_(static_cast<std::size_t>(layer.cols)),
        block_(static_cast<std::size_t>(grid.shape(layer.cols).block)),
        params_bytes_(static_cast<std::size_t>(grid.params_bytes(layer.cols))),
        params_((n_ + block_ - 1) / block_ * params_bytes_),
        w_(layer.w.begin() + static_cast<std::ptrdiff_t>(row * n_),
           layer.w.begin() + static_cast<std::ptrdiff_t>((row + 1) * n_)),
        q_(n_) {}

  void feed_back() {
    std::vector<double> h(n_ * n_);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < n_; ++j)
        h[i * n_ + j] = layer_.h[layer_.at(i) * n_ + layer_.at(j)];
    }
    std::vector<double> inv = inverse(h, n_);
    const std::vector<float> by_place = costs(inv, n_);
    std::vector<float> importance(n_);
    for (std::size_t i = 0; i < n_; ++i) importance[layer_.at(i)] = by_place[i];
    std::vector<double> w = w_;
    for (std::size_t j = 0; !layer_.order.empty() && j < n_; j += block_) open(j, w, importance);
    for (std::size_t i = 0; i < n_; ++i) {
      const std::size_t j = layer_.at(i);
      if (layer_.order.empty() && j % block_ == 0) open(j, w, importance);
      encode(j, w[j]);
      const double error = (w[j] - q_[j]) / inv[i * n_ + i];
      const std::vector<double> column(inv.begin() + static_cast<std::ptrdiff_t>(i * n_),
                                       inv.begin() + static_cast<std::ptrdiff_t>((i + 1) * n_));
      for (std::size_t k = i; k < n_; ++k) w[layer_.at(k)] -= error * column[k];
      for (std::size_t a = i; a < n_; ++a) {
        for (std::size_t k = i; k < n_; ++k) inv[a * n_ + k] -= column[a] * column[k] / column[i];
      }
    }
  }

  void sweep() {
    for (std::size_t j = 0; j < n_; ++j) {
      double pull = 0;
      for (std::size_t k = 0; k < n_; ++k) pull += (w_[k] - q_[k]) * layer_.h[k * n_ + j];
      encode(j, q_[j] + pull / layer_.h[j * n_ + j]);
    }
  }

  const std::vector<float>& values() const { return q_; }
  /// Whether a weight stood nearly between two values, or a block between two sets of parameters:
  /// what comes then may be otherwise.
  bool tied() const { return tied_; }

 private:
  void open(std::size_t j, const std::vector<double>& w, const std::vector<float>& importance) {
    const std::size_t size = std::min(block_, n_ - j);
    const std::vector<float> now(w.begin() + static_cast<std::ptrdiff_t>(j),
                                 w.begin() + static_cast<std::ptrdiff_t>(j + size));
    const Matrix part(now.data(), 1, static_cast<std::int64_t>(size));
    const Floats h = Floats(importance).subspan(j, size);
    const std::vector<float> up = fitted(j, part, h, 2e-5f);
    const std::vector<float> down = fitted(j, part, h, -2e-5f);
    const std::vector<float> plain = fitted(j, part, h, 0);
    tied_ = tied_ || distance(plain, up) > 1e-2 || distance(plain, down) > 1e-2;
  }

  // Fits the block's parameters; what the weights then become, and what is beyond reach.
  std::vector<float> fitted(std::size_t j, Matrix w, Floats h, float nudge) {
    std::vector<float> now(w.row(0).begin(), w.row(0).end());
    for (std::size_t k = 0; k < now.size(); ++k) now[k] += k % 2 == 0 ? nudge : -nudge;
    const Matrix part(now.data(), 1, w.cols);
    grid_.open_block(params(j), part, h, Fit::search);
    grid_.open_unit(params(j), 0, part, h, Fit::search);
    std::vector<Code> codes(now.size());
    std::vector<float> out(now.size());
    grid_.encode(params(j), 0, part, {codes.data(), 1, w.cols}, {out.data(), 1, w.cols});
    for (const double far : {-1e4, 1e4}) out.push_back(encode_one(grid_, params(j), 0, far));
    return out;
  }

  static double distance(const std::vector<float>& a, const std::vector<float>& b) {
    double most = 0;
    for (std::size_t k = 0; k < a.size(); ++k)
      most = std::max(most, std::fabs(static_cast<double>(a[k]) - b[k]));
    return most;
  }

  void encode(std::size_t j, double w) {
    constexpr double kNudge = 1e-4;  // 2^-13: FP32's 2^-24 through some hundred sums, and to spare
    const auto at = static_cast<std::int64_t>(j % block_);
    q_[j] = encode_one(grid_, params(j), at, w);
    tied_ = tied_ || encode_one(grid_, params(j), at, w - kNudge) !=
                         encode_one(grid_, params(j), at, w + kNudge);
  }

  std::byte* params(std::size_t j) { return params_.data() + j / block_ * params_bytes_; }

  const Grid& grid_;
  const Layer& layer_;
  std::size_t n_;
  std::size_t block_;
  std::size_t params_bytes_;
  std::vector<std::byte> params_;
  std::vector<double> w_;
  std::vector<float> q_;
  bool tied_ = false;
};

// All rows in which no weight stands nearly between two values.
void expect_as_reference(const char* spec, const Layer& layer, int sweeps) {
  const auto grid = make_grid(spec);
  const std::vector<float> ours = run("gptq:sweeps=" + std::to_string(sweeps), *grid, layer);
  const auto n = static_cast<std::size_t>(layer.cols);
  std::int64_t compared = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(layer.rows); ++r) {
    ReferenceRow reference(*grid, layer, r);
    reference.feed_back();
    for (int i = 0; i < sweeps; ++i) reference.sweep();
    if (reference.tied()) continue;
    ++compared;
    for (std::size_t j = 0; j < n; ++j) {
      // Scales fitted to weights that differ by their last bits differ by theirs.
      const float theirs = reference.values()[j];
      ASSERT_NEAR(ours[r * n + j], theirs, 1e-5f * std::fabs(theirs))
          << spec << ", row " << r << ", column " << j;
    }
  }
  EXPECT_GE(compared, layer.rows / 4) << spec << ": few ties are expected";
}

TEST(Gptq, HasTheCodesOfADenseReference) {
  const Layer layer = make_layer(16, 160, 400);
  for (const char* spec : {"int4:g32", "int3:g64", "int4:channel", "int4:g32:zero"})
    expect_as_reference(spec, layer, 0);
}

// Units this long keep their parameters.
TEST(Gptq, HasTheCodesOfADenseReferenceAfterSweeps) {
  const Layer layer = make_layer(12, 300, 600);
  for (const char* spec : {"int4:channel", "int3:channel"}) expect_as_reference(spec, layer, 2);
}

TEST(Gptq, HasTheCodesOfADenseReferenceInAnotherOrder) {
  const Layer layer = make_layer(16, 160, 400, true);
  for (const char* spec : {"int4:g32", "int3:g64", "int4:channel"})
    expect_as_reference(spec, layer, 0);
}

TEST(Gptq, HasTheCodesOfADenseReferenceWithFewTokens) {
  expect_as_reference("int4:g32", make_layer(16, 96, 1), 0);
  expect_as_reference("int4:g32", make_layer(16, 96, 30), 0);
}

// Also where layers before would have to be made up for.
TEST(Gptq, WhatStaysInAFloatTypeIsKeptToTheBit) {
  const Layer layer = make_layer(6, 64, 100);
  InputStatistics inputs = layer.inputs();
  inputs.drift = inputs.moments;
  for (const char* spec : {"fp64", "fp32", "bf16", "fp16"}) {
    const auto grid = make_grid(spec);
    const auto bytes = [&](const char* method) {
      return coded(method, *grid, layer.weights(), inputs).bytes;
    };
    EXPECT_EQ(bytes("gptq"), bytes("mse")) << spec;
    EXPECT_NE(bytes("gptq:floats=adjust"), bytes("mse")) << spec;
  }
  const auto grid = make_grid("fp8_e4m3");  // that is no keeping
  EXPECT_NE(coded("gptq", *grid, layer.weights(), inputs).bytes,
            coded("mse", *grid, layer.weights(), inputs).bytes);
}

TEST(Gptq, RefusesOptionsItDoesNotKnow) {
  EXPECT_FALSE(make_coder("gptq:upstream=off,order=on")->feedback()->upstream);
  EXPECT_TRUE(make_coder("gptq:upstream=off,order=on")->feedback()->order);
  EXPECT_EQ(make_coder("gptq:damp=0.5")->feedback()->damp, 0.5);
  for (const char* wrong :
       {"gptq:", "gptq:damp", "gptq:damp=", "gptq:damp=0", "gptq:damp=nan", "gptq:order=yes",
        "gptq:floats=on", "gptq:sweeps=-1", "gptq:x=1", "mse:damp=1", "gptq2"})
    EXPECT_THROW(make_coder(wrong), UsageError) << wrong;
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
    made.factor = feedback_factor({nothing.data(), made.cols, made.cols}, 0.01, Team(1));
    made.moments = made.factor;
    return made;
  }();
  if (!grid->why_not(layer.cols).empty()) GTEST_SKIP() << grid->why_not(layer.cols);
  const std::vector<float> ones(static_cast<std::size_t>(layer.cols), 1);
  InputStatistics alike;
  alike.importance = ones;
  EXPECT_EQ(coded("gptq:sweeps=0", *grid, layer.weights(), layer.inputs()).bytes,
            coded("mse", *grid, layer.weights(), alike).bytes);
}

TEST_P(GptqGrids, OutputErrorIsBelowThatOfMse) {
  const auto grid = make_grid(GetParam());
  static const Layer layer = make_layer(4, 512, 300);
  if (!grid->why_not(layer.cols).empty()) GTEST_SKIP() << grid->why_not(layer.cols);
  const double mse = output_error(layer, run("mse", *grid, layer));
  const double gptq = output_error(layer, run("gptq:floats=adjust", *grid, layer));
  if (mse == 0) {
    EXPECT_EQ(gptq, 0);
  } else {
    EXPECT_LT(gptq, mse);
  }
}

TEST_P(GptqGrids, SaysWhatIsLeftOfTheOutputError) {
  const auto grid = make_grid(GetParam());
  static const Layer layer = make_layer(4, 512, 300);
  if (!grid->why_not(layer.cols).empty()) GTEST_SKIP() << grid->why_not(layer.cols);
  Planes planes(*grid, layer.rows, layer.cols);
  const std::optional<double> left =
      make_coder("gptq:floats=adjust")->code(*grid, layer.weights(), layer.inputs(), planes.out());
  const std::vector<float> q = decoded(*grid, planes, layer.rows, layer.cols);
  // Sums of n products, in which each of n columns then changes in three sweeps of two kinds: all
  // rounded to FP32.
  const auto n = static_cast<std::size_t>(layer.cols);
  double magnitudes = 0;
  for (std::size_t r = 0; r < q.size(); r += n) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        magnitudes += std::fabs((layer.w[r + i] - q[r + i]) * layer.moments[i * n + j] *
                                (layer.w[r + j] - q[r + j]));
    }
  }
  ASSERT_TRUE(left);
  EXPECT_NEAR(*left, output_error(layer, q), 7.0 * static_cast<double>(n) * 0x1p-24 * magnitudes);
}

TEST_P(GptqGrids, SweepsLowerTheOutputError) {
  const auto grid = make_grid(GetParam());
  static const Layer layer = make_layer(4, 512, 300);
  if (!grid->why_not(layer.cols).empty()) GTEST_SKIP() << grid->why_not(layer.cols);
  double before = output_error(layer, run("gptq:sweeps=0", *grid, layer));
  for (const char* method : {"gptq:sweeps=1", "gptq:sweeps=2"}) {
    const double after = output_error(layer, run(method, *grid, layer));
    // Of two codes nearly alike the worse may be taken, by FP32's rounding of some hundred
    // products.
    EXPECT_LE(after, before * (1 + 0x1p-20)) << method;
    before = after;
  }
}

TEST_P(GptqGrids, EveryOrderOfColumnsLowersTheOutputError) {
  const auto grid = make_grid(GetParam());
  static const Layer layer = make_layer(4, 512, 300, true);
  if (!grid->why_not(layer.cols).empty()) GTEST_SKIP() << grid->why_not(layer.cols);
  if (grid->shape(layer.cols).step > 1) GTEST_SKIP() << "a step is of columns side by side";
  const double mse = output_error(layer, run("mse", *grid, layer));
  const double gptq = output_error(layer, run("gptq:floats=adjust", *grid, layer));
  EXPECT_TRUE(mse == 0 ? gptq == 0 : gptq < mse) << gptq << " of " << mse;
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
