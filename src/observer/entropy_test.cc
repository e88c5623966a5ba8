#include "observer/entropy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "observer/observer.h"
#include "observer/sample_values.h"

namespace zp {
namespace {

// Sums of 2048 terms; a logarithm's relative error is below 2^-48.
constexpr double kClose = 1e-11;

// The published procedure in NumPy, bin by bin: tests/observer_reference.py.
TEST(Entropy, DivergencesAreThoseOfThePublishedProcedure) {
  const std::vector<std::uint64_t> counts = sample::counts();
  ASSERT_EQ(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), 1040816u);
  const Divergence divergence(counts);
  const struct {
    std::size_t levels;
    std::size_t best;
    double least;
    double at_levels;
    double at_300;
    double at_1000;
    double at_all;
  } expected[] = {{8, 80, 0.20050751931704627, 0.5590731995461607, 0.5542913959297444,
                   1.3752617540619574, 1.9940922633257572},
                  {128, 636, 0.029955132606081448, 0.10475208405074708, 0.04935599582069175,
                   0.03975332484396175, 0.14081544469225163},
                  {256, 1109, 0.015259598949076395, 0.05531498084418898, 0.04746656627114283,
                   0.015478228460386873, 0.03160726819935372}};
  for (const auto& e : expected) {
    EXPECT_NEAR(divergence.of(e.levels, e.levels), e.at_levels, kClose);
    EXPECT_NEAR(divergence.of(300, e.levels), e.at_300, kClose);
    EXPECT_NEAR(divergence.of(1000, e.levels), e.at_1000, kClose);
    EXPECT_NEAR(divergence.of(2048, e.levels), e.at_all, kClose);
    std::size_t best = e.levels;
    int infinite = 0;
    for (std::size_t i = e.levels; i <= counts.size(); ++i) {
      const double found = divergence.of(i, e.levels);
      infinite += std::isinf(found) ? 1 : 0;
      if (found < divergence.of(best, e.levels)) best = i;
    }
    EXPECT_EQ(best, e.best) << e.levels;
    EXPECT_EQ(infinite, 38) << e.levels;
    EXPECT_NEAR(divergence.of(best, e.levels), e.least, kClose);
  }
}

// Values at the middles of the equal bins: the histogram has them all in the right bins but where
// its own are wider.
TEST(Entropy, EqualBinsKeepEveryValue) {
  const Histogram histogram(sample::values());
  const std::vector<std::uint64_t> bins = equal_bins(histogram);
  EXPECT_EQ(std::accumulate(bins.begin(), bins.end(), std::uint64_t{0}), histogram.count());
  EXPECT_GT(bins.back(), 0u) << "the largest magnitude";
  // Up to any bin as many as there are of the values, but for those of one bin of the histogram.
  std::vector<float> all = sample::values();
  for (float& x : all) x = std::fabs(x);
  std::ranges::sort(all);
  const double width = static_cast<double>(all.back()) / kMagnitudeBins;
  std::uint64_t sum = 0;
  for (std::size_t b = 0; b + 1 < bins.size(); ++b) {
    sum += bins[b];
    const double end = static_cast<double>(b + 1) * width;
    const auto upto = [&](double limit) {
      return std::ranges::lower_bound(all, static_cast<float>(limit)) - all.begin();
    };
    EXPECT_GE(static_cast<std::int64_t>(sum), upto(end * (1 - 1.0 / 128) - 1e-12)) << b;
    EXPECT_LE(static_cast<std::int64_t>(sum), upto(end * (1 + 1.0 / 128) + 1e-12)) << b;
  }
}

// A normal bulk and one value far outside: the threshold is in the bulk's tail, far below it.
TEST(Entropy, CutsALoneOutlierOff) {
  std::vector<float> all;
  for (int i = 0; i < 30000; ++i) {
    const double u = (i + 0.5) / 30000;
    all.push_back(static_cast<float>(std::log(u / (1 - u))));  // logistic, up to 11
  }
  all.push_back(100);
  const Histogram histogram(all);
  const AffineForm form = *make_grid("int8:tensor:sym")->affine();
  const Range range = find_observer("entropy", "test").range({histogram, {}}, form, {});
  EXPECT_LT(range.hi, 30);
  EXPECT_GT(range.hi, 4);
  const AffineForm fine = *make_grid("int16:tensor:sym")->affine();
  EXPECT_EQ(find_observer("entropy", "test").range({histogram, {}}, fine, {}).hi, 100)
      << "more levels than bins";
}

}  // namespace
}  // namespace zp
