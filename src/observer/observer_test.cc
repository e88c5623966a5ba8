#include "observer/observer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "grid/grid.h"
#include "observer/sample_values.h"

namespace zp {
namespace {

const Observer& named(std::string_view name) { return find_observer(name, "test"); }

AffineForm form_of(const char* spec) { return *make_grid(spec)->affine(); }

// The width of the bin that a value is in.
float width_at(double value) {
  const Range bin = bin_range(histogram_bin(static_cast<float>(value)));
  return bin.hi - bin.lo;
}

TEST(Observer, MinMaxIsExact) {
  const std::vector<float> all = sample::values();
  const Range range = named("min-max").range({Histogram(all), {}}, form_of("int8:tensor"), {});
  EXPECT_EQ(range.lo, -3.8861828f);
  EXPECT_EQ(range.hi, 0.51183504f);
}

// numpy.percentile of the same values: tests/observer_reference.py.
TEST(Observer, PercentileIsNumpysToWithinABin) {
  const Histogram histogram(sample::values());
  const struct {
    double percentile;
    double lo;
    double hi;
  } expected[] = {{99, -3.593935012817383, 0.44660264253616333},
                  {99.9, -3.8570945262908936, 0.504060685634613},
                  {99.99, -3.883394479751587, 0.5113536715507507}};
  for (const auto& e : expected) {
    ObserverOptions options;
    options.percentile = e.percentile;
    const Range range = named("percentile").range({histogram, {}}, form_of("int8:tensor"), options);
    EXPECT_NEAR(range.lo, e.lo, width_at(e.lo)) << e.percentile;
    EXPECT_NEAR(range.hi, e.hi, width_at(e.hi)) << e.percentile;
  }
}

TEST(Observer, PercentileOfFewValuesStaysAmongThem) {
  const std::vector<float> few = {-1, 2, 2, 100};
  const Histogram histogram(few);
  ObserverOptions options;
  options.percentile = 75;  // numbers 0.75 and 2.25: -1 + 0.75 * 3 and 2 + 0.25 * 98
  const Range range = named("percentile").range({histogram, {}}, form_of("int8:tensor"), options);
  EXPECT_NEAR(range.lo, 1.25, width_at(2));
  EXPECT_NEAR(range.hi, 26.5, width_at(100));
  options.percentile = 100;
  const Range all = named("percentile").range({histogram, {}}, form_of("int8:tensor"), options);
  EXPECT_EQ(all.lo, -1);
  EXPECT_EQ(all.hi, 100);
}

// From (-1, 1): lo = -1 + 0.1 (-3 + 1) = -1.2, then -1.2 + 0.1 (-2 + 1.2) = -1.28; hi =
// 1, 1.3, 1.27.
TEST(Observer, MovingAverageWeighsBatchesInTheirOrder) {
  const std::vector<float> all = {-3, 4};
  const Histogram histogram(all);
  const std::vector<Range> batches = {{-1, 1}, {-3, 4}, {-2, 1}};
  const auto range = [&](const std::vector<Range>& of) {
    return named("moving-average").range({histogram, of}, form_of("int8:tensor"), {});
  };
  EXPECT_FLOAT_EQ(range(batches).lo, -1.28f);
  EXPECT_FLOAT_EQ(range(batches).hi, 1.27f);
  EXPECT_NE(range({batches.rbegin(), batches.rend()}).lo, range(batches).lo);
  EXPECT_EQ(range({}).lo, -3) << "without batches all there was";
}

TEST(Observer, EveryObserverStaysWithinWhatThereWas) {
  for (const std::vector<float>& all :
       {sample::values(), std::vector<float>(5, 0.0f), std::vector<float>(5, -2.5f),
        std::vector<float>{3e38f, -3e38f, 1}, std::vector<float>{1e-45f, -1e-42f, 0},
        std::vector<float>{-0.0f, 0.0f, 7}}) {
    const Histogram histogram(all);
    const Range extremes = histogram.extremes();
    for (const Observer* observer : observers()) {
      for (const char* spec : {"int8:tensor:sym", "uint8:tensor:zero", "int4:tensor:min",
                               "int16:tensor:sym", "int2:tensor:restricted"}) {
        const Range range = observer->range({histogram, {}}, form_of(spec), {});
        EXPECT_LE(extremes.lo, range.lo) << observer->name << ' ' << spec;
        EXPECT_LE(range.lo, range.hi) << observer->name << ' ' << spec;
        EXPECT_LE(range.hi, extremes.hi) << observer->name << ' ' << spec;
      }
    }
  }
}

TEST(Observer, AnUnknownOneIsRefusedWithTheNamesThereAre) {
  try {
    find_observer("median", "here");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_STREQ(e.what(),
                 "here: unknown observer: expected min-max, moving-average, percentile, mse, "
                 "entropy, found median");
  }
}

}  // namespace
}  // namespace zp
