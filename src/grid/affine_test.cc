#include "grid/affine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace zp {
namespace {

struct Coded {
  std::vector<std::int8_t> codes;
  std::vector<float> scales;
  std::vector<float> values;
};

Coded coded(const char* spec, Matrix w) {
  const std::unique_ptr<Grid> grid = make_grid(spec);
  const auto count = static_cast<std::size_t>(w.rows * w.cols);
  Coded out{std::vector<std::int8_t>(count), std::vector<float>(static_cast<std::size_t>(w.rows)),
            std::vector<float>(count)};
  const std::vector<std::byte*> planes = {reinterpret_cast<std::byte*>(out.codes.data()),
                                          reinterpret_cast<std::byte*>(out.scales.data())};
  grid->quantize(w, {}, Fit::range, planes);
  const std::vector<const std::byte*> in(planes.begin(), planes.end());
  grid->decode(in, {out.values.data(), w.rows, w.cols});
  return out;
}

// LLM.int8 (bitsandbytes) holds of each row its largest magnitude m and codes round(127 w / m), and
// reads back m code / 127. Our scale is m / 127 in FP32, rounded once or a step up so that m is
// reached: it is within 2^-22 of it, and quotients, in FP32 too, within 2^-22 of 127 w / m. So only
// where that is as close to a half may a code differ.
TEST(Affine, Int8OfChannelsIsWhatLlmInt8MakesOfWeights) {
  constexpr std::int64_t kRows = 50;
  constexpr std::int64_t kCols = 2000;
  std::vector<float> x;
  Random random(4);
  for (int r = 1; r <= kRows; ++r) {
    for (std::int64_t j = 0; j < kCols; ++j) x.push_back(static_cast<float>(random.normal() * r));
  }
  const Coded found = coded("int8:channel:restricted:s32", {x.data(), kRows, kCols});
  std::int64_t near_ties = 0;
  for (std::int64_t r = 0; r < kRows; ++r) {
    double most = 0;
    for (std::int64_t j = 0; j < kCols; ++j)
      most = std::max(most,
                      std::fabs(static_cast<double>(x[static_cast<std::size_t>(r * kCols + j)])));
    const double scale = found.scales[static_cast<std::size_t>(r)];
    EXPECT_NEAR(scale, most / 127, most / 127 * 0x1p-22);
    for (std::int64_t j = 0; j < kCols; ++j) {
      const auto i = static_cast<std::size_t>(r * kCols + j);
      const double exact = 127 * static_cast<double>(x[i]) / most;
      const double from_half = std::fabs(std::fabs(exact - std::floor(exact)) - 0.5);
      if (from_half <= std::fabs(exact) * 0x1p-21) {
        ++near_ties;
        continue;
      }
      ASSERT_EQ(found.codes[i], std::nearbyint(exact)) << r << ' ' << j;
      ASSERT_NEAR(found.values[i], most * found.codes[i] / 127, most * 0x1p-21);
    }
  }
  EXPECT_LT(near_ties, 20) << "of 100,000; 127 2^-20 of them are expected";
}

TEST(Affine, ParametersOfARangeAreThoseOfWeightsThatSpanIt) {
  for (const char* spec : {"int8:tensor:sym:s32", "int8:tensor:restricted:s16",
                           "int8:tensor:zero:s32", "uint8:tensor:zero:sbf16"}) {
    const std::unique_ptr<Grid> grid = make_grid(spec);
    const std::vector<float> x = {-1.25f, 0.5f, 3.75f};
    const AffineParams p = affine_params(*grid->affine(), -1.25, 3.75);
    std::vector<std::byte> params(static_cast<std::size_t>(grid->params_bytes(3)));
    grid->open_block(params.data(), {x.data(), 1, 3}, {}, Fit::range);
    grid->open_unit(params.data(), 0, {x.data(), 1, 3}, {}, Fit::range);
    std::vector<Code> codes(3);
    std::vector<float> decoded(3);
    grid->encode(params.data(), 0, {x.data(), 1, 3}, {codes.data(), 1, 3}, {decoded.data(), 1, 3});
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(decoded[i], p.scale * static_cast<float>(codes[i] - p.zero)) << spec;
      EXPECT_GE(codes[i], p.lowest);
      EXPECT_LE(codes[i], p.highest);
    }
  }
}

}  // namespace
}  // namespace zp
