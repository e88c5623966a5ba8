#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "observer/expected_error.h"
#include "observer/observer.h"
#include "observer/sample_values.h"

namespace zp {
namespace {

double squared_error(const std::vector<float>& all, const AffineParams& p) {
  double sum = 0;
  for (const float x : all) {
    const double k = p.scale > 0 ? std::nearbyint((x - p.offset) / p.scale) : 0;
    const double q = std::clamp<double>(k, p.lowest - p.zero, p.highest - p.zero);
    const double error = x - (p.scale * q + p.offset);
    sum += error * error;
  }
  return sum / static_cast<double>(all.size());
}

double squared_error(const std::vector<float>& all, const AffineForm& form, Range range) {
  return squared_error(all, affine_params(form, range.lo, range.hi));
}

// Over all pairs of ends a hundredth of the extremes apart.
double least_by_brute_force(const std::vector<float>& all, const AffineForm& form) {
  const Range extremes = Histogram(all).extremes();
  double least = squared_error(all, form, extremes);
  for (int i = 1; i <= 100; ++i) {
    for (int k = 1; k <= 100; ++k) {
      const Range range{extremes.lo * static_cast<float>(i) / 100,
                        extremes.hi * static_cast<float>(k) / 100};
      least = std::min(least, squared_error(all, form, range));
    }
  }
  return least;
}

double root_mean_square(const std::vector<float>& all) {
  double sum = 0;
  for (const float x : all) sum += static_cast<double>(x) * x;
  return std::sqrt(sum / static_cast<double>(all.size()));
}

std::vector<float> some_values() {
  std::vector<float> all = sample::values();
  all.resize(3000);
  return all;
}

// In its bin a value is at most 1/128 of itself from where it is taken to be. The distance to the
// nearest code changes by no more than that, so two root mean squares of errors, of the values and
// of the histogram, are at most 1/128 of the values' root mean square apart.
double apart(const std::vector<float>& all) { return root_mean_square(all) / 128; }

TEST(ExpectedError, IsThatOfTheValuesToWithinABin) {
  const std::vector<float> all = some_values();
  const std::vector<HistogramPiece> pieces = Histogram(all).pieces();
  for (const char* spec : {"int8:tensor:sym", "int8:tensor:zero", "int4:tensor:min",
                           "int3:tensor:restricted", "int2:tensor:zero"}) {
    const AffineForm form = *make_grid(spec)->affine();
    for (const Range range : {Range{-4, 1}, Range{-1, 0.5f}, Range{-0.01f, 0.3f}}) {
      const AffineParams params = affine_params(form, range.lo, range.hi);
      EXPECT_NEAR(std::sqrt(expected_error(pieces, params)), std::sqrt(squared_error(all, params)),
                  apart(all))
          << spec << ' ' << range.lo;
    }
  }
  EXPECT_NEAR(std::sqrt(mean_square(pieces)), root_mean_square(all), apart(all));
}

// A uniform density over many steps: s^2 / 12; beyond the codes the distance to the last of them.
TEST(ExpectedError, IsExactForEvenDensities) {
  const AffineParams params{0.5f, 0, 0, -8, 7};
  const std::vector<HistogramPiece> inside = {{-2.25, 3.25, 10}};
  EXPECT_NEAR(expected_error(inside, params), 0.25 / 12, 1e-15);
  const std::vector<HistogramPiece> beyond = {{3.5, 6.5, 1}};  // the mean of u^2 over [0, 3]
  EXPECT_NEAR(expected_error(beyond, params), 3, 1e-14);
  const std::vector<HistogramPiece> point = {{0.6, 0.6, 1}};
  EXPECT_NEAR(expected_error(point, params), 0.01, 1e-15);
  const std::vector<HistogramPiece> two = {{0.6, 0.6, 3}, {3.5, 6.5, 1}};
  EXPECT_NEAR(expected_error(two, params), (3 * 0.01 + 3) / 4, 1e-14);
}

// What it finds is best on the histogram, up to its raster; on the values that is at most twice
// `apart` from the best of brute force.
TEST(MseObserver, FindsWhatBruteForceOverTheValuesFinds) {
  const std::vector<float> all = some_values();
  const Histogram histogram(all);
  for (const char* spec :
       {"int8:tensor:sym", "int8:tensor:zero", "int4:tensor:sym", "int4:tensor:zero",
        "int4:tensor:restricted", "int3:tensor:zero", "int2:tensor:sym"}) {
    const AffineForm form = *make_grid(spec)->affine();
    const Range range = find_observer("mse", "test").range({histogram, {}}, form, {});
    const double found = std::sqrt(squared_error(all, form, range));
    const double least = std::sqrt(least_by_brute_force(all, form));
    EXPECT_LE(found, least + 2 * apart(all)) << spec;
    // And where bins are far finer than codes, no worse than brute force's own raster.
    if (form.bits <= 4) {
      EXPECT_LE(found, least * 1.01) << spec;
    }
  }
}

TEST(MseObserver, IsNoWorseThanAnyOtherOnItsOwnMeasure) {
  const Histogram histogram(sample::values());
  const std::vector<HistogramPiece> pieces = histogram.pieces();
  for (const char* spec : {"int8:tensor:sym", "int8:tensor:zero", "int4:tensor:zero",
                           "int4:tensor:min", "int3:tensor:restricted"}) {
    const AffineForm form = *make_grid(spec)->affine();
    const auto error = [&](const Observer& observer) {
      const Range range = observer.range({histogram, {}}, form, {});
      return expected_error(pieces, affine_params(form, range.lo, range.hi));
    };
    for (const Observer* other : observers())
      EXPECT_LE(error(find_observer("mse", "test")), error(*other)) << spec << ' ' << other->name;
  }
}

}  // namespace
}  // namespace zp
