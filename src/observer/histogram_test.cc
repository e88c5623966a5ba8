#include "observer/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "observer/sample_values.h"

namespace zp {
namespace {

Histogram in_parts(const std::vector<float>& all, std::size_t length, bool backward) {
  std::vector<Histogram> parts;
  for (std::size_t i = 0; i < all.size(); i += length)
    parts.emplace_back(Floats(all).subspan(i, std::min(length, all.size() - i)));
  if (backward) std::ranges::reverse(parts);
  Histogram out;
  for (const Histogram& part : parts) out.merge(part);
  return out;
}

TEST(Histogram, DoesNotDependOnTheOrderOrOnHowItWasMerged) {
  std::vector<float> all = sample::values();
  const Histogram whole(all);
  EXPECT_EQ(whole.count(), all.size());
  for (const std::size_t length : {1, 7, 512, 5000, 30000}) {
    EXPECT_EQ(in_parts(all, length, false), whole) << length;
    EXPECT_EQ(in_parts(all, length, true), whole) << length;
  }
  Histogram ab(Floats(all).first(100));  // (a + b) + c = a + (b + c)
  Histogram bc(Floats(all).subspan(100, 300));
  bc.merge(Histogram(Floats(all).subspan(400)));
  ab.merge(bc);
  EXPECT_EQ(ab, whole);
  std::ranges::reverse(all);
  EXPECT_EQ(Histogram(all), whole);
}

TEST(Histogram, CountsAsSortingDoes) {
  const std::vector<float> all = sample::values();
  HistogramCounter counter;
  counter.add(Floats(all).first(1500));
  counter.add(Floats(all).subspan(1500, 1500));
  EXPECT_EQ(counter.histogram(), Histogram(Floats(all).first(3000)));
}

TEST(Histogram, ExtremesAreExactAndOfNothingThereAreNone) {
  const std::vector<float> all = sample::values();
  const Range range = Histogram(all).extremes();
  EXPECT_EQ(range.lo, *std::ranges::min_element(all));
  EXPECT_EQ(range.hi, *std::ranges::max_element(all));
  Histogram nothing;
  EXPECT_EQ(nothing.count(), 0u);
  nothing.merge(Histogram(all));
  nothing.merge({});
  EXPECT_EQ(nothing, Histogram(all));
}

TEST(Histogram, EveryFiniteValueIsWithinItsBinAndBinsAscend) {
  float before = -std::numeric_limits<float>::infinity();
  for (int bin = 0x80; bin < 0x8000 + 0x7f80; ++bin) {
    const Range range = bin_range(static_cast<std::uint16_t>(bin));
    const bool positive = bin >= 0x8000;
    // The end nearer to 0 is inside, the other is not.
    const float inner = positive ? range.lo : range.hi;
    const float inside = std::nextafter(positive ? range.hi : range.lo, 0.0f);
    ASSERT_EQ(histogram_bin(positive ? std::fabs(inner) : -std::fabs(inner)), bin);
    if (std::isfinite(inside)) {
      ASSERT_EQ(histogram_bin(inside), bin);
    }
    ASSERT_LE(before, range.lo);
    before = range.hi;
    if (std::fabs(inner) >= 0x1p-126f && std::fabs(inner) < 0x1p127f) {
      ASSERT_LE(range.hi - range.lo, std::fabs(inner) / 128);
    }
  }
}

}  // namespace
}  // namespace zp
