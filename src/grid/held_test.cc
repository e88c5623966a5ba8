// Weights that lie on a grid already, and which grids hold which others' values.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "grid/bridge.h"
#include "grid/grid.h"
#include "grid/plane_buffers.h"
#include "number/half.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 2;
constexpr std::int64_t kCols = 256;

Matrix matrix_of(const Grid& grid, const std::vector<float>& w) {
  const std::int64_t rows = grid.whole_tensor() ? 1 : kRows;
  return {w.data(), rows, std::ssize(w) / rows};
}

std::vector<float> decoded(const Grid& grid, const PlaneBuffers& planes) {
  std::vector<float> w(static_cast<std::size_t>(kRows * kCols));
  const Matrix shape = matrix_of(grid, w);
  decode(grid, planes, {w.data(), shape.rows, shape.cols});
  return w;
}

// Of a size and a mean that differ from 16 to 16: scales, zero-points and minima of many kinds. Some
// are zero.
std::vector<float> some_weights(std::uint64_t seed) {
  Random random(seed);
  std::vector<float> w(static_cast<std::size_t>(kRows * kCols));
  double size = 0;
  double mean = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    if (i % 16 == 0) {
      size = 0.02 * std::exp(random.normal());
      mean = 0.5 * size * random.normal();
    }
    w[i] = i / 64 == 3 ? 0.0f : static_cast<float>(mean + size * random.normal());
  }
  return w;
}

std::vector<float> values_on(const Grid& grid, std::uint64_t seed) {
  const std::vector<float> w = some_weights(seed);
  PlaneBuffers planes;
  const Matrix matrix = matrix_of(grid, w);
  grid.quantize(matrix, {}, Fit::range, make_room(grid, matrix.rows, matrix.cols, planes));
  return decoded(grid, planes);
}

/// What `to` makes of w, decoded; nothing: it doesn't hold it.
std::optional<std::vector<float>> held(const Grid& to, const std::vector<float>& w,
                                       int significant = kExactBits) {
  PlaneBuffers planes;
  const Matrix matrix = matrix_of(to, w);
  if (!to.hold(matrix, significant, make_room(to, matrix.rows, matrix.cols, planes)))
    return std::nullopt;
  return decoded(to, planes);
}

bool is_held(const std::string& from, const std::string& to, std::uint64_t seed = 1) {
  const std::vector<float> w = values_on(*make_grid(from), seed);
  const auto found = held(*make_grid(to), w);
  return found.has_value() && *found == w;
}

// Of every family; of integers those of a few widths.
std::vector<std::string> specs() {
  std::vector<std::string> all;
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples()) {
      const auto grid = make_grid(spec);
      const AffineForm* f = grid->affine();
      const bool few = f == nullptr || f->bits == 2 || f->bits == 4 || f->bits == 8;
      if (few && grid->values() && grid->why_not(kCols).empty()) all.push_back(spec);
    }
  }
  return all;
}

TEST(Held, EveryGridHoldsWhatAnotherSaysItAlwaysDoes) {
  std::size_t pairs = 0;
  for (const std::string& from : specs()) {
    const auto grid = make_grid(from);
    const std::vector<float> w = values_on(*grid, 1);
    for (const std::string& to : specs()) {
      const auto other = make_grid(to);
      const Bridge found = bridge(*grid, *other);
      if (!found.possible || !found.where.empty() || from == to) continue;
      ++pairs;
      const auto values = held(*other, w);
      ASSERT_TRUE(values.has_value()) << from << " on " << to;
      ASSERT_EQ(*values, w) << from << " on " << to;
    }
  }
  EXPECT_GT(pairs, 200U);
}

TEST(Held, EveryGridHoldsItsOwnValuesButMinimaThatAreRounded) {
  for (const std::string& spec : specs()) {
    const auto grid = make_grid(spec);
    const Values values = *grid->values();
    if (values.offset == Offset::min) continue;  // its planes are copied
    EXPECT_TRUE(is_held(spec, spec, 2)) << spec;
  }
}

TEST(Held, WhatNoBridgeLeadsToIsNotHeld) {
  for (const auto& [from, to] : {std::pair("q4_0", "int4:g64:sym:s32"),
                                 {"int4:g64:zero:s32", "int3:g32:zero:s32"},
                                 {"nf4:g64", "int8:g32:zero:s32"},
                                 {"int8:g32:sym:s32", "q4_0"},
                                 {"nf4:g64", "fp4:g64"}}) {
    EXPECT_FALSE(bridge(*make_grid(from), *make_grid(to)).possible) << from << " on " << to;
    EXPECT_FALSE(is_held(from, to)) << from << " on " << to;
  }
}

TEST(Held, OrdinaryWeightsAreOnNoGrid) {
  const std::vector<float> w = some_weights(3);
  std::vector<float> rounded;
  for (const float x : w) rounded.push_back(bf16_to_float(float_to_bf16(x)));
  for (const std::string& spec : specs()) {
    const auto grid = make_grid(spec);
    EXPECT_FALSE(held(*grid, w).has_value()) << spec;
    EXPECT_FALSE(held(*grid, rounded, 8).has_value()) << spec;
  }
}

TEST(Held, BlocksWithoutAFormulaAreHeldByThemselvesAlone) {
  const auto q4_k = make_grid("q4_k");
  EXPECT_TRUE(bridge(*q4_k, *q4_k).possible);
  EXPECT_FALSE(bridge(*q4_k, *make_grid("int8:g32:zero:s32")).possible);
  EXPECT_FALSE(bridge(*make_grid("q4_0"), *q4_k).possible);
}

TEST(Held, ABridgeSaysWhatItTakes) {
  const auto where = [](const char* from, const char* to) {
    return bridge(*make_grid(from), *make_grid(to)).where;
  };
  EXPECT_EQ(where("q4_0", "int4:g32:sym:s16"), "");
  EXPECT_EQ(where("q4_0", "int4:g16:zero:s32"), "");
  EXPECT_EQ(where("q4_0", "int4:g32:sym:sbf16"), "scales fit bf16");
  EXPECT_EQ(where("int4:g128:zero:s16", "int4:g64:zero:s32"), "");
  EXPECT_EQ(where("int4:g128:zero:s16", "int4:g64:sym:s32"), "zero-points lie in the middle");
  EXPECT_EQ(where("int4:g128:zero:s16", "int8:g64:sym:s32"), "");
  EXPECT_EQ(where("int4:g128:zero:s16", "int4:g64:min:s32"), "");
  EXPECT_EQ(where("int4:g128:zero:s16", "int4:g64:min:s16"), "scales have few bits");
  EXPECT_EQ(where("mxfp4", "mxfp4:blocks"), "");
  EXPECT_EQ(where("mxfp4", "int8:g32:sym:s32"), "");
  EXPECT_EQ(where("mxfp4", "q8_0"), "scales fit fp16");
  EXPECT_EQ(where("nvfp4", "nvfp4:blocks"), "");
}

// Zero-points in the middle, as symmetric grids are stored where zero-points must be.
TEST(Held, SymmetricValuesGoOverGridsWithZeroPointsAndBack) {
  const std::vector<float> w = values_on(*make_grid("int4:g64:sym:s16"), 4);
  const auto with_zeros = held(*make_grid("uint4:g64:zero:s16"), w);
  ASSERT_TRUE(with_zeros.has_value());
  EXPECT_EQ(held(*make_grid("int4:g32:sym:s16"), *with_zeros), w);
}

// A checkpoint in BF16 of weights that were trained on a grid whose scales are BF16.
TEST(Held, WhatBf16RoundedIsFoundWithItsScales) {
  for (const char* spec : {"int4:g32:sym:sbf16", "int3:g64:sym:sbf16", "int4:g32:zero:sbf16"}) {
    const std::vector<float> w = values_on(*make_grid(spec), 5);
    std::vector<float> rounded;
    for (const float x : w) rounded.push_back(bf16_to_float(float_to_bf16(x)));
    ASSERT_NE(rounded, w);
    const auto found = held(*make_grid(spec), rounded, 8);
    ASSERT_TRUE(found.has_value()) << spec;
    std::size_t same = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      EXPECT_EQ(bf16_to_float(float_to_bf16((*found)[i])), rounded[i]);
      same += (*found)[i] == w[i] ? 1 : 0;
    }
    // Another scale of BF16 fits a group's roundings, too, where all its codes are small.
    EXPECT_GT(same, w.size() * 9 / 10) << spec;
    EXPECT_FALSE(held(*make_grid(spec), rounded).has_value());
  }
}

}  // namespace
}  // namespace zp
