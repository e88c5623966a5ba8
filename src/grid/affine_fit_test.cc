#include "grid/affine_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "grid/scale_type.h"

namespace zp {
namespace {

const StoredScale kFp32 = info(ScaleType::s32).nearest;
const StoredScale kFp16 = info(ScaleType::s16).nearest;

double scale_error(const std::vector<float>& x, const std::vector<float>& h, double s, int lo,
                   int hi) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double k = s == 0 ? 0
                            : std::clamp(std::nearbyint(x[i] / s), static_cast<double>(lo),
                                         static_cast<double>(hi));
    sum += h[i] * std::pow(x[i] - s * k, 2);
  }
  return sum;
}

struct Sample {
  std::vector<float> x;
  std::vector<float> h;
};

Sample sample(Random& random, std::size_t n) {
  Sample s;
  const int kind = static_cast<int>(random.below(4));
  for (std::size_t i = 0; i < n; ++i) {
    double v = random.normal();
    if (kind == 1) v = v / std::abs(random.normal());             // Cauchy
    if (kind == 2) v = static_cast<double>(random.below(7)) - 3;  // a lattice, with ties
    if (kind == 3) v = std::abs(v) + 0.5;
    s.x.push_back(static_cast<float>(v));
    s.h.push_back(static_cast<float>(std::exp(random.normal())));
  }
  return s;
}

// Every FP16 number as scale, both signs: nothing can be better than the exact search.
TEST(FitScale, BeatsEveryFp16Scale) {
  Random random(1);
  for (int trial = 0; trial < 60; ++trial) {
    const Sample s = sample(random, 4 + random.below(29));
    const int hi = trial % 3 == 0 ? 1 : trial % 3 == 1 ? 3 : 7;
    double found_error = 0;
    const float found = fit_scale(s.x, s.h, -hi - 1, hi, true, kFp16, &found_error);
    double best = scale_error(s.x, s.h, 0, -hi - 1, hi);
    for (int code = 1; code < 0x7C00; ++code) {
      const float scale = info(ScaleType::s16).load(reinterpret_cast<const std::byte*>(&code));
      best = std::min({best, scale_error(s.x, s.h, scale, -hi - 1, hi),
                       scale_error(s.x, s.h, -scale, -hi - 1, hi)});
    }
    const double reached = scale_error(s.x, s.h, found, -hi - 1, hi);
    // Sums of n terms in double, added in another order: n rounding errors of the energy.
    const double rounding = 64 * 0x1p-53 * scale_error(s.x, s.h, 0, 0, 0);
    EXPECT_LE(reached, best + rounding);
    EXPECT_LE(reached, found_error + rounding);
  }
}

TEST(FitScale, BeatsAFineScanAtEightBits) {
  Random random(2);
  for (int trial = 0; trial < 200; ++trial) {
    const Sample s = sample(random, 32);
    float largest = 0;
    for (const float x : s.x) largest = std::max(largest, std::abs(x));
    const float found = fit_scale(s.x, s.h, -127, 127, false, kFp32);
    const double reached = scale_error(s.x, s.h, found, -127, 127);
    for (int i = 0; i <= 400; ++i) {  // ranges from 0.98 to 1.02 of the largest weight
      const double scale = largest / 127 * (0.98 + 0.0001 * i);
      EXPECT_LE(reached, scale_error(s.x, s.h, scale, -127, 127) * (1 + 1e-12));
    }
  }
}

TEST(FitScale, ScalesWithTheWeights) {
  Random random(3);
  Sample s = sample(random, 32);
  const float one = fit_scale(s.x, s.h, -8, 7, true, kFp32);
  for (float& x : s.x) x *= 1024;
  EXPECT_EQ(fit_scale(s.x, s.h, -8, 7, true, kFp32), 1024 * one);
}

TEST(FitScale, LongGroupsComeCloseToTheBest) {
  Random random(4);
  const Sample s = sample(random, 4096);
  const float found = fit_scale(s.x, s.h, -8, 7, false, kFp32);
  const double reached = scale_error(s.x, s.h, found, -8, 7);
  float largest = 0;
  for (const float x : s.x) largest = std::max(largest, std::abs(x));
  for (int i = 1; i <= 100; ++i)
    EXPECT_LE(reached, scale_error(s.x, s.h, largest / 700.0 * i, -8, 7));
}

double offset_error(const Sample& s, double scale, double offset, int levels) {
  double sum = 0;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    const double q = scale > 0 ? std::clamp(std::nearbyint((s.x[i] - offset) / scale), 0.0,
                                            static_cast<double>(levels))
                               : 0;
    sum += s.h[i] * std::pow(s.x[i] - (scale * q + offset), 2);
  }
  return sum;
}

// Against every range of a raster of 41 x 41 cuts off the two ends. The search is no proof of the
// optimum, so single cases may lose; over many it must win.
TEST(FitScaleOffset, BeatsAFineRasterOnTheWhole) {
  Random random(5);
  for (const int levels : {3, 7, 15}) {
    double searched = 0;
    double scanned = 0;
    int lost = 0;
    for (int trial = 0; trial < 100; ++trial) {
      const Sample s = sample(random, 32);
      const auto [lo, hi] = std::minmax_element(s.x.begin(), s.x.end());
      const double width = static_cast<double>(*hi) - *lo;
      const ScaleOffset found = fit_scale_offset(s.x, s.h, levels, kFp32, kFp32);
      const double reached = offset_error(s, found.scale, found.offset, levels);
      double best = 1e300;
      for (int a = 0; a <= 40; ++a) {
        for (int b = 0; b <= 40; ++b) {
          const double cut_lo = 0.0125 * a * width;
          const double cut_hi = 0.0125 * b * width;
          if (cut_lo + cut_hi >= 0.95 * width) continue;
          best = std::min(
              best, offset_error(s, (width - cut_lo - cut_hi) / levels, *lo + cut_lo, levels));
        }
      }
      const double energy = offset_error(s, 0, 0, levels);
      searched += reached / energy;
      scanned += best / energy;
      lost += reached > best ? 1 : 0;
    }
    EXPECT_LE(searched, scanned) << levels << " levels";
    RecordProperty("lost_at_" + std::to_string(levels), lost);
  }
}

TEST(FitScaleOffset, ConstantsKeepTheirValue) {
  const std::vector<float> x(32, 0.37f);
  const ScaleOffset found = fit_scale_offset(x, {}, 15, kFp32, kFp32);
  EXPECT_EQ(found.offset, 0.37f);
}

}  // namespace
}  // namespace zp
