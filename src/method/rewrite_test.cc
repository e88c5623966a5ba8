// Rewrites: factors found, and what they are worth.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "method/moved_moments.h"
#include "method/output_error.h"
#include "method/scaling.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 40;
constexpr std::int64_t kCols = 64;

// A linear whose inputs are large in a few columns.
struct Sample {
  explicit Sample(double loud) {
    Random random(11);
    std::vector<double> size(kCols, 1.0);
    for (std::size_t j = 0; j < kCols; j += 16) size[j] = loud;
    for (std::int64_t i = 0; i < kRows * kCols; ++i)
      w.push_back(static_cast<float>(random.normal()));
    h.resize(kCols * kCols);
    for (int token = 0; token < 300; ++token) {
      std::vector<double> x;
      for (std::size_t j = 0; j < kCols; ++j) x.push_back(size[j] * random.normal());
      for (std::size_t i = 0; i < kCols; ++i) {
        for (std::size_t j = 0; j < kCols; ++j)
          h[i * kCols + j] += static_cast<float>(x[i] * x[j] / 300);
      }
    }
    largest.assign(kCols, 2);
    for (std::size_t j = 0; j < kCols; ++j) inputs.push_back(static_cast<float>(4 * size[j]));
    source.resize(kCols);
    std::iota(source.begin(), source.end(), 0);
  }

  LinkedReaders readers(std::vector<const Grid*> grids) const {
    return {{{{w.data(), kRows, kCols}, largest, std::move(grids)}},
            {h.data(), kCols, kCols},
            inputs,
            source,
            kCols,
            Fit::search};
  }

  std::vector<float> w, h, largest, inputs;
  std::vector<std::int32_t> source;
};

Scaling scaled(std::string_view spec, const LinkedReaders& readers, const Team& team) {
  return dynamic_cast<const ScalingRewrite&>(*parse_rewrites(spec).front()).scale(readers, team);
}

TEST(Awq, ScalesUpWhatIsLoudAndLosesLess) {
  const Team team(2);
  const auto grid = make_grid("int3:g64");
  const Sample sample(30);
  const LinkedReaders readers = sample.readers({grid.get()});
  const Scaling found = scaled("awq", readers, team);
  EXPECT_LT(found.loss, 1);
  EXPECT_EQ(found.loss, LinkLoss(readers, team)(found.factors));
  EXPECT_GT(found.factors[16], found.factors[17]);
}

TEST(Awq, NeverLosesMoreThanWithoutFactors) {
  const Team team(2);
  for (const char* spec : {"int4:g32", "int3:g64", "q4_0", "int8:channel", "fp16", "fp32"}) {
    for (const double loud : {0.0, 0.3, 1.0, 4.0, 100.0}) {
      const auto grid = make_grid(spec);
      const auto other = make_grid("int4:g16");
      const Sample sample(loud);
      const LinkedReaders readers = sample.readers({grid.get(), other.get()});
      const Scaling found = scaled("awq", readers, team);
      EXPECT_LE(found.loss, 1) << spec << ", " << loud;
    }
  }
}

TEST(Awq, WithoutInputsNothingIsScaled) {
  const auto grid = make_grid("int4:g32");
  Sample sample(1);
  sample.h.assign(sample.h.size(), 0);
  const Scaling found = scaled("awq", sample.readers({grid.get()}), Team(1));
  EXPECT_EQ(found.factors, std::vector<float>(kCols, 1));
}

TEST(Awq, ColumnsOfOneSourceShareItsFactor) {
  const auto grid = make_grid("int3:g64");
  Sample sample(30);
  for (std::size_t j = 0; j < kCols; ++j) sample.source[j] = static_cast<std::int32_t>(j % 32 + 8);
  LinkedReaders readers = sample.readers({grid.get()});
  readers.sources = 48;
  const Scaling found = scaled("awq", readers, Team(1));
  ASSERT_EQ(found.factors.size(), 48u);
  for (std::size_t i = 0; i < 48; ++i) {
    if (i >= 8 && i < 40) continue;
    EXPECT_EQ(found.factors[i], 1) << i;
  }
}

TEST(Awq, SameFactorsFromEveryNumberOfThreads) {
  const auto grid = make_grid("int3:g64");
  const Sample sample(10);
  const Scaling one = scaled("awq", sample.readers({grid.get()}), Team(1));
  const Scaling three = scaled("awq", sample.readers({grid.get()}), Team(3));
  EXPECT_EQ(one.factors, three.factors);
  EXPECT_EQ(one.loss, three.loss);
}

TEST(SmoothQuant, MovesAShareOfTheRange) {
  const auto grid = make_grid("int8:channel");
  const Sample sample(30);
  const LinkedReaders readers = sample.readers({grid.get()});
  const auto factors = [&](double alpha) {
    return scaled(fmt::format("smoothquant:alpha={}", alpha), readers, Team(1)).factors;
  };
  // Inputs up to 120 and 4, weights up to 2.
  EXPECT_FLOAT_EQ(factors(1)[16], 120);
  EXPECT_FLOAT_EQ(factors(1)[17], 4);
  EXPECT_FLOAT_EQ(factors(0.5)[16], std::sqrt(60.0f));
  EXPECT_FLOAT_EQ(factors(0)[16], 0.5f);
}

TEST(OutputError, IsTheTraceOverTheErrors) {
  const auto grid = make_grid("int4:g32");
  const Sample sample(3);
  const Matrix w(sample.w.data(), kRows, kCols);
  std::vector<float> identity(kCols * kCols);
  for (std::size_t j = 0; j < kCols; ++j) identity[j * (kCols + 1)] = 1;
  std::vector<std::vector<std::byte>> planes;
  std::vector<std::byte*> out;
  for (std::size_t p = 0; p < grid->planes().size(); ++p)
    planes.emplace_back(static_cast<std::size_t>(kRows * grid->row_bytes(p, kCols)));
  for (auto& plane : planes) out.push_back(plane.data());
  grid->quantize(w, {}, Fit::range, out);
  std::vector<float> q(sample.w.size());
  const std::vector<const std::byte*> in(out.begin(), out.end());
  grid->decode(in, {q.data(), kRows, kCols});
  double sum = 0;
  for (std::size_t i = 0; i < q.size(); ++i)
    sum += std::pow(static_cast<double>(sample.w[i]) - static_cast<double>(q[i]), 2);
  const Matrix h(identity.data(), kCols, kCols);
  // Each difference is rounded once, and is its own product with the identity.
  EXPECT_NEAR(output_error(*grid, Fit::range, w, h, Team(1)), sum, sum * 0x1p-22);
  EXPECT_LE(output_error(*grid, Fit::search, w, h, Team(1)), sum);
}

TEST(OutputError, BeyondTheGridIsInfinite) {
  const auto grid = make_grid("fp16");
  const std::vector<float> w = {1e6f, 1};
  const std::vector<float> h = {1, 0, 0, 1};
  EXPECT_EQ(output_error(*grid, Fit::range, {w.data(), 1, 2}, {h.data(), 2, 2}, Team(1)), INFINITY);
}

// With W' = W diag(c) C^T and H' the error tr(W H W^T) is the same: 64 columns, each value of H'
// rounded some 2 (6 + 2) times, sums of 64 in FP64.
TEST(MovedMoments, LeaveTheSizeOfOutputsAsItIs) {
  const Sample sample(3);
  Change change;
  for (std::size_t j = 0; j < kCols; ++j)
    change.column_factors.push_back(0.5f + 0.1f * static_cast<float>(j));
  change.column_rotation = random_rotation(kCols, 9);
  const std::vector<float> moved = moved_moments({sample.h.data(), kCols, kCols}, change);
  std::vector<float> row(sample.w.begin(), sample.w.begin() + kCols);
  const auto size = [](const std::vector<float>& w, const std::vector<float>& h) {
    double sum = 0;
    double magnitude = 0;
    for (std::size_t i = 0; i < kCols; ++i) {
      for (std::size_t j = 0; j < kCols; ++j) {
        const double term = static_cast<double>(w[i]) * h[i * kCols + j] * w[j];
        sum += term;
        magnitude += std::fabs(term);
      }
    }
    return std::pair(sum, magnitude);
  };
  const auto [before, scale] = size(row, sample.h);
  for (std::size_t j = 0; j < kCols; ++j) row[j] *= change.column_factors[j];
  rotate(change.column_rotation, row);
  const auto [after, scale_after] = size(row, moved);
  EXPECT_NEAR(after, before, 32 * 64 * 0x1p-24 * std::max(scale, scale_after));
}

TEST(Rewrites, AreParsedInTheirOrderAndRefusedByName) {
  const auto all = parse_rewrites("smoothquant:alpha=0.25,awq");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->spec(), "smoothquant:alpha=0.25");
  EXPECT_EQ(all[1]->spec(), "awq");
  for (const char* wrong : {"", "gptq", "awq,awq", "awq:alpha=1", "smoothquant:beta=1",
                            "smoothquant:alpha=2", "smoothquant:alpha=", "awq,"})
    EXPECT_THROW(parse_rewrites(wrong), UsageError) << wrong;
}

}  // namespace
}  // namespace zp
