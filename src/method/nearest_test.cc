#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "grid/affine.h"
#include "method/method.h"
#include "observer/observer.h"

namespace zp {
namespace {

using Planes = std::vector<std::vector<std::byte>>;

// A row in 64 has a weight far outside.
std::vector<float> some_weights(std::int64_t count) {
  std::vector<float> out;
  Random random(9);
  for (std::int64_t i = 0; i < count; ++i) out.push_back(static_cast<float>(random.normal()));
  for (std::size_t i = 17; i < out.size(); i += 64) out[i] *= 20;
  return out;
}

Planes coded(const std::string& method, const Grid& grid, Matrix w) {
  Planes planes;
  std::vector<std::byte*> out;
  for (std::size_t p = 0; p < grid.planes().size(); ++p)
    planes.emplace_back(static_cast<std::size_t>(w.rows * grid.row_bytes(p, w.cols)));
  for (auto& plane : planes) out.push_back(plane.data());
  make_coder(method)->code(grid, w, {}, out);
  return planes;
}

TEST(Nearest, WithoutAnObserverOrWithMinMaxIsTheGridsOwnRange) {
  const std::vector<float> x = some_weights(4 * 256);
  const Matrix w(x.data(), 4, 256);
  for (const char* spec : {"int4:g32:zero:s16", "q4_k", "nf4:g64", "int8:channel:sym:s32"}) {
    const std::unique_ptr<Grid> grid = make_grid(spec);
    Planes expected;
    std::vector<std::byte*> out;
    for (std::size_t p = 0; p < grid->planes().size(); ++p)
      expected.emplace_back(static_cast<std::size_t>(4 * grid->row_bytes(p, 256)));
    for (auto& plane : expected) out.push_back(plane.data());
    grid->quantize(w, {}, Fit::range, out);
    for (const char* method :
         {"nearest", "nearest:observer=min-max", "nearest:observer=percentile,percentile=100"})
      EXPECT_EQ(coded(method, *grid, w), expected) << spec << ' ' << method;
  }
}

// Every group by itself: cut to its range, then coded as before.
TEST(Nearest, CutsEveryUnitToItsObserversRangeOnEveryGrid) {
  constexpr std::int64_t kRows = 3;
  constexpr std::int64_t kCols = 512;
  const std::vector<float> x = some_weights(kRows * kCols);
  const Matrix w(x.data(), kRows, kCols);
  for (const GridFamily* family : grid_families()) {
    const std::unique_ptr<Grid> grid = make_grid(family->examples().front());
    const GridShape shape = grid->shape(kCols);
    for (const std::string name : {"percentile", "entropy"}) {
      std::vector<float> within = x;
      AffineForm form;
      form.bits = std::clamp(static_cast<int>(grid->bits_per_weight(kRows, kCols)), 2, 16);
      if (grid->affine() != nullptr) form = *grid->affine();
      ObserverOptions options;
      options.percentile = 90;
      for (std::int64_t i = 0; i < kRows * kCols; i += shape.unit) {
        const std::span<float> unit = std::span(within).subspan(
            static_cast<std::size_t>(i), static_cast<std::size_t>(shape.unit));
        const Histogram histogram{Floats(unit)};
        const Range range = find_observer(name, "test").range({histogram, {}}, form, options);
        for (float& v : unit) v = std::clamp(v, range.lo, range.hi);
      }
      const std::string method =
          "nearest:observer=" + name + (name == "percentile" ? ",percentile=90" : "");
      EXPECT_EQ(coded(method, *grid, w), coded("nearest", *grid, {within.data(), kRows, kCols}))
          << grid->spec() << ' ' << name;
    }
  }
}

TEST(Nearest, APercentileLowersTheErrorOfRowsWithOutliers) {
  const std::vector<float> x = some_weights(2 * 4096);
  const Matrix w(x.data(), 2, 4096);
  const std::unique_ptr<Grid> grid = make_grid("int4:channel:sym:s32");
  const auto bulk_error = [&](const std::string& method) {
    const Planes planes = coded(method, *grid, w);
    std::vector<float> q(x.size());
    const std::vector<const std::byte*> in = {planes[0].data(), planes[1].data()};
    grid->decode(in, {q.data(), 2, 4096});
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      sum += std::fabs(x[i]) < 3 ? (x[i] - q[i]) * (x[i] - q[i]) : 0;
    return sum;
  };
  EXPECT_LT(bulk_error("nearest:observer=percentile,percentile=98"), bulk_error("nearest") / 4);
}

TEST(Nearest, OptionsThatCannotBeAreRefusedByName) {
  const auto refusal = [](const char* spec) -> std::string {
    try {
      make_coder(spec);
    } catch (const UsageError& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal("nearest:observer=mse"),
            "`method` nearest:observer=mse: of weights a method finds that: expected `method` mse");
  EXPECT_EQ(refusal("nearest:observer=moving-average"),
            "`method` nearest:observer=moving-average: weights don't come in batches: expected "
            "another observer, found moving-average");
  EXPECT_NE(refusal("nearest:observer=median").find("unknown observer"), std::string::npos);
  EXPECT_NE(refusal("nearest:damp=1").find("expected observer or percentile"), std::string::npos);
  EXPECT_NE(refusal("gptq:observer=entropy")
                .find("expected upstream, order, damp, shrink, sweeps or floats"),
            std::string::npos);
  EXPECT_NE(refusal("mse:observer=entropy").find("mse takes no options"), std::string::npos);
  for (const char* wrong : {"49", "101", "x", "nan", ""})
    EXPECT_NE(refusal((std::string("nearest:observer=percentile,percentile=") + wrong).c_str())
                  .find("no number in reach"),
              std::string::npos)
        << wrong;
  EXPECT_NE(refusal("nearest:percentile=99").find("observer=percentile beside"), std::string::npos);
  EXPECT_EQ(refusal("nearest:observer=percentile,percentile=99.9"), "accepted");
}

}  // namespace
}  // namespace zp
