#include "calibrate/input_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "base/error.h"
#include "base/random.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 96;
constexpr std::int64_t kColumns = 37;
constexpr std::int64_t kWindow = 24;

std::vector<float> some_inputs() {
  std::vector<float> out;
  Random random(5);
  for (std::int64_t i = 0; i < kRows * kColumns; ++i)
    out.push_back(i % 11 == 0 ? (i % 2 == 0 ? 0.0f : -0.0f) : static_cast<float>(random.normal()));
  return out;
}

// Rows in calls of `together`, the first one shorter.
InputRanges seen(const std::vector<float>& x, std::int64_t together, int threads) {
  InputRanges out(kColumns, kWindow);
  const Team team(threads);
  for (std::int64_t r = 0; r < kRows;) {
    const std::int64_t count = std::min(r == 0 ? (together + 1) / 2 : together, kRows - r);
    out.add({x.data() + r * kColumns, count, kColumns}, "test", team);
    r += count;
  }
  return out;
}

std::vector<std::uint32_t> bits(Floats x) {
  std::vector<std::uint32_t> out;
  for (const float v : x) out.push_back(std::bit_cast<std::uint32_t>(v));
  return out;
}

TEST(InputRanges, SameBitsFromEveryNumberOfThreadsAndEveryCut) {
  const std::vector<float> x = some_inputs();
  const InputRanges first = seen(x, kRows, 1);
  for (const int threads : {1, 2, 7}) {
    for (const std::int64_t together : {1, 10, 50, 96}) {
      const InputRanges other = seen(x, together, threads);
      EXPECT_EQ(bits(other.lowest()), bits(first.lowest()));
      EXPECT_EQ(bits(other.highest()), bits(first.highest()));
      EXPECT_EQ(other.histogram(), first.histogram());
      ASSERT_EQ(other.windows().size(), 4u);
      for (std::size_t w = 0; w < 4; ++w) {
        EXPECT_EQ(bits(Floats(&other.windows()[w].lo, 1)), bits(Floats(&first.windows()[w].lo, 1)));
        EXPECT_EQ(bits(Floats(&other.windows()[w].hi, 1)), bits(Floats(&first.windows()[w].hi, 1)));
      }
    }
  }
}

TEST(InputRanges, AreThoseOfColumnsAndWindows) {
  const std::vector<float> x = some_inputs();
  const InputRanges ranges = seen(x, 10, 2);
  EXPECT_EQ(ranges.histogram(), Histogram(x));
  for (std::size_t j = 0; j < kColumns; ++j) {
    float lo = x[j];
    float hi = x[j];
    for (std::size_t i = j; i < x.size(); i += kColumns) {
      lo = std::min(lo, x[i]);
      hi = std::max(hi, x[i]);
    }
    EXPECT_EQ(ranges.lowest()[j], lo);
    EXPECT_EQ(ranges.highest()[j], hi);
  }
  for (std::size_t w = 0; w < 4; ++w) {
    const Range expected = min_max(Floats(x).subspan(w * kWindow * kColumns, kWindow * kColumns));
    EXPECT_EQ(ranges.windows()[w].lo, expected.lo);
    EXPECT_EQ(ranges.windows()[w].hi, expected.hi);
  }
}

TEST(InputRanges, AValueThatIsNotFiniteIsRefusedWithItsPlace) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    std::vector<float> x = some_inputs();
    x[50 * kColumns + 3] = bad;
    for (const std::int64_t together : {7, 96}) {
      try {
        seen(x, together, 2);
        FAIL();
      } catch (const Error& e) {
        const std::string what = e.what();
        EXPECT_TRUE(what.starts_with(
            "test, token 50, column 3: the model's activations are not finite: found "))
            << what;
      }
    }
  }
}

}  // namespace
}  // namespace zp
