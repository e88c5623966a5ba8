#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "base/random.h"
#include "grid/affine_fit.h"
#include "grid/linear_groups.h"

namespace zp {
namespace {

struct Sample {
  std::vector<float> x;
  std::vector<float> h;
};

// Heavy tails, and importance over a few orders of magnitude.
Sample sample(Random& random, std::size_t count) {
  Sample s;
  for (std::size_t i = 0; i < count; ++i) {
    s.x.push_back(static_cast<float>(random.normal() / std::sqrt(random.uniform() + 0.1)));
    s.h.push_back(static_cast<float>(std::exp(random.normal())));
  }
  return s;
}

LinearForm form_of(int lowest, int highest, Offset offset) {
  const ScaleTypeInfo& fp32 = info(ScaleType::s32);
  return {lowest, highest, offset, offset == Offset::sym, &fp32, &fp32, Arithmetic::fp32};
}

// By the definition, in FP64.
double error(const Sample& s, const LinearForm& form, const LinearParams& p) {
  double sum = 0;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    const double k = p.scale == 0 ? 0 : (static_cast<double>(s.x[i]) - p.offset) / p.scale;
    const double code = std::clamp(std::nearbyint(k), static_cast<double>(form.lowest - p.zero),
                                   static_cast<double>(form.highest - p.zero));
    sum += s.h[i] * std::pow(s.x[i] - (p.scale * code + p.offset), 2);
  }
  return sum;
}

LinearParams fitted(const LinearForm& form, const Sample& s) {
  const auto tile = std::make_unique<GroupTile>();
  tile->begin(std::ssize(s.x), true);
  tile->add(s.x, s.h);
  LinearParams p{};
  fit_groups(form, *tile, &p);
  return p;
}

// The exact search follows every code vector that a scale can produce. This one may miss the best,
// by less than a hundredth of the error on the whole: that much is what it is for.
TEST(AffineSearch, ComesNearTheExactScale) {
  Random random(1);
  for (const int highest : {1, 3, 7}) {
    const LinearForm form = form_of(-highest - 1, highest, Offset::sym);
    double exact = 0;
    double found = 0;
    for (int trial = 0; trial < 400; ++trial) {
      const Sample s = sample(random, 32);
      double least = 0;
      fit_scale(s.x, s.h, form.lowest, form.highest, true, form.scale->nearest, &least);
      exact += least;
      found += error(s, form, fitted(form, s));
    }
    EXPECT_LE(found, 1.01 * exact) << highest;
    EXPECT_GE(found, exact * (1 - 1e-6)) << highest;
  }
}

TEST(AffineSearch, WithAMinimumIsNoWorseThanTheSlowerSearch) {
  Random random(2);
  for (const int levels : {3, 15, 255}) {
    const LinearForm form = form_of(0, levels, Offset::min);
    double slower = 0;
    double found = 0;
    for (int trial = 0; trial < 200; ++trial) {
      const Sample s = sample(random, 64);
      const ScaleOffset line =
          fit_scale_offset(s.x, s.h, levels, form.scale->nearest, form.minimum->nearest);
      slower += error(s, form, {line.scale, line.offset, 0});
      found += error(s, form, fitted(form, s));
    }
    EXPECT_LE(found, 1.01 * slower) << levels;
  }
}

TEST(AffineSearch, AGroupDoesNotSeeItsNeighbours) {
  Random random(3);
  for (const Offset offset : {Offset::sym, Offset::zero, Offset::min}) {
    const LinearForm form = form_of(0, 15, offset);
    std::vector<Sample> samples;
    const auto tile = std::make_unique<GroupTile>();
    tile->begin(48, true);
    while (!tile->full()) {
      samples.push_back(sample(random, 48));
      for (float& v : samples.back().x) v = std::ldexp(v, static_cast<int>(samples.size()));
      tile->add(samples.back().x, samples.back().h);
    }
    std::vector<LinearParams> all(kTileGroups);
    fit_groups(form, *tile, all.data());
    for (std::size_t g = 0; g < kTileGroups; ++g) {
      const LinearParams alone = fitted(form, samples[g]);
      EXPECT_EQ(alone.scale, all[g].scale);
      EXPECT_EQ(alone.offset, all[g].offset);
      EXPECT_EQ(alone.zero, all[g].zero);
    }
  }
}

// Weights of any size that floats have, and importance too.
TEST(AffineSearch, FollowsPowersOfTwo) {
  Random random(4);
  const LinearForm form = form_of(-8, 7, Offset::sym);
  const Sample s = sample(random, 32);
  const LinearParams one = fitted(form, s);
  for (const int power : {-100, -40, 40, 100}) {
    Sample other = s;
    for (float& v : other.x) v = std::ldexp(v, power);
    for (float& v : other.h) v = std::ldexp(v, -power);
    EXPECT_EQ(fitted(form, other).scale, std::ldexp(one.scale, power)) << power;
  }
}

TEST(AffineSearch, NothingToFindLeavesWhatIsThere) {
  const LinearForm form = form_of(-8, 7, Offset::sym);
  const LinearParams zeros = fitted(form, {std::vector<float>(32), std::vector<float>(32, 1.0f)});
  EXPECT_EQ(zeros.scale, 0);
  Random random(5);
  Sample ignored = sample(random, 32);
  std::ranges::fill(ignored.h, 0.0f);
  EXPECT_EQ(fitted(form, ignored).scale, 0);
}

}  // namespace
}  // namespace zp
