#include "grid/ternary_scale.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "grid/plane_buffers.h"
#include "grid/scale_type.h"
#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

struct Block {
  std::vector<float> w, h;
  float largest = 0;
};

// Of few values, of many, of very few that are large; some weights may not count at all.
std::vector<Block> blocks() {
  Random random(3);
  std::vector<Block> all;
  for (int n = 0; n < 300; ++n) {
    Block b;
    for (std::size_t i = 0; i < kTernaryBlock; ++i) {
      double x = 0.02 * random.normal() * std::exp((n % 3) * random.normal());
      if (n % 5 == 4) x = 0.01 * std::round(100 * x);
      b.w.push_back(static_cast<float>(x));
      b.h.push_back(n % 2 == 0 && random.uniform() < 0.3
                        ? 0.0f
                        : static_cast<float>(std::exp(2 * random.normal())));
      b.largest = std::max(b.largest, std::fabs(b.w.back()));
    }
    all.push_back(b);
  }
  return all;
}

// sum h (w - s k)^2 with the nearest codes.
double error_of(const Block& b, Floats h, float scale) {
  double sum = 0;
  for (std::size_t i = 0; i < kTernaryBlock; ++i) {
    const double x = std::fabs(b.w[i]);
    const double off = 2 * x >= scale ? x - scale : x;
    sum += (h.empty() ? 1.0 : h[i]) * off * off;
  }
  return sum;
}

// Both are exact but for the rounding of sums of 256 terms in FP64.
TEST(TernaryScale, IsAsGoodAsTheWalkOverAllCodes) {
  for (const Block& b : blocks()) {
    for (const Floats h : {Floats(), Floats(b.h)}) {
      const float walked = fit_scale(b.w, h, -1, 1, false, info(ScaleType::s16).nearest);
      const float found = ternary_scale(b.w, h, b.largest);
      EXPECT_LE(error_of(b, h, found), error_of(b, h, walked) * (1 + 0x1p-40));
    }
  }
}

// What nothing is known of, or what was never met, is searched all the same.
TEST(TernaryScale, WeightsOfWhichNoneCountsCountAlike) {
  for (const char* spec : {"tq1_0", "tq2_0"}) {
    const auto grid = make_grid(spec);
    const std::vector<float> w = normal_floats(512, 3);
    std::vector<float> h(512, 1.0f), none(512, 1.0f);
    std::fill_n(none.begin(), 256, 0.0f);
    const auto coded = [&](Floats importance) {
      PlaneBuffers planes;
      grid->quantize({w.data(), 1, 512}, importance, Fit::search, make_room(*grid, 1, 512, planes));
      return planes;
    };
    EXPECT_EQ(coded(none), coded(h)) << spec;
  }
}

TEST(TernaryScale, EveryInstructionSetGivesTheSameScale) {
  for (const Block& b : blocks()) {
    float first = 0;
    under_every_instruction_set([&] {
      const float found = ternary_scale(b.w, b.h, b.largest);
      if (first == 0) first = found;
      EXPECT_EQ(found, first);
    });
  }
}

}  // namespace
}  // namespace zp
