#include "grid/codebook.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/random.h"

namespace zp {
namespace {

/// x with P(X < x) = p for a normal X.
double normal_quantile(double p) {
  double lo = -10, hi = 10;
  for (int i = 0; i < 200; ++i) {
    const double x = (lo + hi) / 2;
    (0.5 * std::erfc(-x / std::sqrt(2.0)) < p ? lo : hi) = x;
  }
  return lo;
}

/// What `grid` decodes one row of these bytes to.
std::vector<float> decoded(const Grid& grid, const std::vector<std::vector<std::byte>>& planes,
                           std::size_t cols) {
  std::vector<const std::byte*> in;
  for (const auto& plane : planes) in.push_back(plane.data());
  std::vector<float> out(cols);
  grid.decode(in, {out.data(), 1, static_cast<std::int64_t>(cols)});
  return out;
}

std::vector<float> levels_of(const char* spec) {
  std::vector<std::vector<std::byte>> planes(2);
  for (unsigned i = 0; i < 16; i += 2) planes[0].push_back(std::byte(i << 4 | (i + 1)));
  planes[1] = {std::byte{0}, std::byte{0}, std::byte{0x80}, std::byte{0x3F}};  // 1.0f
  return decoded(*make_grid(spec), planes, 16);
}

// QLoRA, appendix E: seven quantiles below zero, zero, eight above, evenly spaced in probability
// from the one whose distance to the end is the mean of half of 1/15 and half of 1/16.
TEST(Codebook, Nf4IsQuantilesOfTheNormalDistribution) {
  const double end = 1 - 0.5 * (1.0 / 32 + 1.0 / 30);
  std::vector<double> expected;
  for (int i = 0; i < 7; ++i) expected.push_back(-normal_quantile(end + (0.5 - end) * i / 7));
  expected.push_back(0);
  for (int i = 7; i >= 0; --i) expected.push_back(normal_quantile(end + (0.5 - end) * i / 8));
  const std::vector<float> levels = levels_of("nf4");
  for (std::size_t k = 0; k < 16; ++k) {
    // bitsandbytes computed its table in FP32.
    EXPECT_NEAR(levels[k], expected[k] / expected[15], 2e-7) << k;
  }
}

TEST(Codebook, Fp4HasASignAboveItsMagnitudes) {
  const std::vector<float> levels = levels_of("fp4:g16");
  const std::vector<double> magnitudes = {0, 1.0 / 192, 2.0 / 3, 1, 1.0 / 3, 0.5, 1.0 / 6, 0.25};
  for (std::size_t k = 0; k < 8; ++k) {
    EXPECT_NEAR(levels[k], magnitudes[k], 1e-8 + 6e-8 * magnitudes[k]);
    EXPECT_EQ(levels[k + 8], -levels[k]);
  }
}

TEST(Codebook, RangeGivesTheNearestLevelUnderTheLargestMagnitude) {
  Random random(2);
  std::vector<float> w(64);
  for (float& x : w) x = static_cast<float>(random.normal());
  for (const char* spec : {"nf4", "fp4"}) {
    const auto grid = make_grid(spec);
    std::vector<std::vector<std::byte>> planes(2);
    planes[0].resize(32);
    planes[1].resize(4);
    std::vector<std::byte*> out = {planes[0].data(), planes[1].data()};
    grid->quantize({w.data(), 1, 64}, {}, Fit::range, out);
    float largest = 0;
    for (const float x : w) largest = std::max(largest, std::fabs(x));
    const std::vector<float> got = decoded(*grid, planes, 64);
    const std::vector<float> levels = levels_of(spec);
    for (std::size_t i = 0; i < 64; ++i) {
      float best = 1e9f;
      for (const float level : levels) best = std::min(best, std::fabs(w[i] - largest * level));
      // A middle is rounded, and so is w / scale: a few units in the last place of the largest.
      EXPECT_LE(std::fabs(w[i] - got[i]), best + 4 * 0x1p-24f * largest) << spec << " " << i;
    }
  }
}

TEST(Codebook, RefusesOtherWords) {
  for (const char* spec :
       {"nf4:", "nf4:g0", "nf4:g-1", "nf4:g99999999", "nf4:channel", "fp4x", "nf4:g64:sym"}) {
    EXPECT_THROW(make_grid(spec), UsageError) << spec;
  }
}

}  // namespace
}  // namespace zp
