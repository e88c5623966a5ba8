// Micro-scaled grids: bytes as MLX and the OCP specification have them, and GGUF's records beside.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "grid/grid.h"
#include "kernel/every_instruction_set.h"
#include "number/float_format.h"

namespace zp {
namespace {

constexpr std::array kSpecs = {"mxfp4", "mxfp8", "nvfp4"};

std::vector<float> random_weights(std::size_t count, std::uint64_t seed, double size) {
  Random random(seed);
  std::vector<float> w(count);
  for (float& x : w)
    x = static_cast<float>(size * random.normal() * std::exp(0.7 * random.normal()));
  return w;
}

using Planes = std::vector<std::vector<std::byte>>;

Planes coded(const Grid& grid, Floats w, Floats h, Fit fit) {
  const auto cols = static_cast<std::int64_t>(w.size());
  Planes planes;
  std::vector<std::byte*> out;
  for (std::size_t p = 0; p < grid.planes().size(); ++p) {
    planes.emplace_back(static_cast<std::size_t>(grid.row_bytes(p, cols)));
    out.push_back(planes.back().data());
  }
  grid.quantize({w.data(), 1, cols}, h, fit, out);
  return planes;
}

std::vector<float> decoded(const Grid& grid, const Planes& planes, std::size_t cols) {
  std::vector<const std::byte*> in;
  for (const auto& plane : planes) in.push_back(plane.data());
  std::vector<float> values(cols);
  grid.decode(in, {values.data(), 1, static_cast<std::int64_t>(cols)});
  return values;
}

// Under every scale, codes up to every largest one: what they decode to is found again, though it may
// be under a smaller scale. GGUF's records have the same values.
TEST(Microscaled, ValuesUnderPowersOfTwoAreFoundAgainByTheirRange) {
  for (const auto& [name, other] :
       {std::pair("mxfp4", "mxfp4"), {"mxfp4", "mxfp4:blocks"}, {"mxfp8", "mxfp8"}}) {
    const auto source = make_grid(name);
    const auto grid = make_grid(other);
    const bool fp4 = std::string(name) == "mxfp4";
    const std::size_t codes = fp4 ? 8 : 127;  // of one sign, without NaN
    for (std::size_t scale = 0; scale < 255; ++scale) {
      for (std::size_t largest = 0; largest < codes; ++largest) {
        Planes planes = {{}, {static_cast<std::byte>(scale)}};
        for (std::size_t i = 0; i < 16; ++i) {
          const std::size_t code = largest - std::min(i, largest);
          for (const std::size_t sign : {0, 1}) {
            if (!fp4) planes[0].push_back(static_cast<std::byte>(code | sign << 7));
          }
          if (fp4) planes[0].push_back(static_cast<std::byte>(code | (code | 8) << 4));
        }
        const std::vector<float> values = decoded(*source, planes, 32);
        if (std::fabs(static_cast<double>(values.front())) > grid->limit()) continue;  // refused
        const Planes again = coded(*grid, values, {}, Fit::range);
        ASSERT_EQ(decoded(*grid, again, 32), values) << other << " " << scale << " " << largest;
      }
    }
  }
}

TEST(Microscaled, EveryCodeDecodesToItsFormatsValueTimesTheScales) {
  for (const std::string spec : kSpecs) {
    const auto grid = make_grid(spec);
    const FloatFormat& element = spec == "mxfp8" ? kFp8E4m3 : kFp4E2m1;
    const FloatFormat& scale = spec == "nvfp4" ? kFp8E4m3 : kE8m0;
    const auto group = static_cast<std::size_t>(grid->shape(32).block);
    const int codes = 1 << element.bits;
    for (std::uint64_t s = 0; s < 256; ++s) {
      for (int first = 0; first < codes; first += static_cast<int>(group)) {
        Planes planes = {{}, {static_cast<std::byte>(s)}};
        for (std::size_t i = 0; i < group; i += element.bits == 4 ? 2 : 1) {
          const std::size_t code = static_cast<std::size_t>(first) + i;
          planes[0].push_back(static_cast<std::byte>(
              element.bits == 8 ? code : (code % 16) | (code + 1) % 16 << 4));
        }
        const std::vector<float> values = decoded(*grid, planes, group);
        for (std::size_t i = 0; i < group; ++i) {
          const std::uint64_t code =
              (static_cast<std::uint64_t>(first) + i) % static_cast<std::uint64_t>(codes);
          const double exact = decode(element, code) * decode(scale, s);
          if (std::isnan(exact)) {
            ASSERT_TRUE(std::isnan(values[i])) << spec << " " << s << " " << code;
          } else {
            const bool beyond = std::fabs(exact) > std::numeric_limits<float>::max();
            ASSERT_EQ(std::fabs(values[i]), beyond ? std::numeric_limits<float>::infinity()
                                                   : static_cast<float>(std::fabs(exact)))
                << spec << " " << s << " " << code;
            ASSERT_EQ(std::signbit(values[i]), std::signbit(exact)) << spec << " " << code;
          }
        }
      }
    }
  }
}

// mx: the smallest power of two that covers; nvfp4: the nearest, half to even (mlx, fp_quantize).
TEST(Microscaled, TheRangesScaleIsMlxs) {
  const auto scale = [](const char* spec, float largest) {
    std::vector<float> w(32);
    w[3] = -largest;
    return std::to_integer<int>(coded(*make_grid(spec), w, {}, Fit::range)[1][0]);
  };
  EXPECT_EQ(scale("mxfp4", 6), 127);
  EXPECT_EQ(scale("mxfp4", 6.01f), 128);
  EXPECT_EQ(scale("mxfp4", 3), 126);
  EXPECT_EQ(scale("mxfp8", 448), 127);
  EXPECT_EQ(scale("mxfp8", 449), 128);
  EXPECT_EQ(scale("nvfp4", 6), 0x38);
  EXPECT_EQ(scale("nvfp4", 6 * 1.0625f), 0x38);
  EXPECT_EQ(scale("nvfp4", 6 * 1.1875f), 0x3A);
  EXPECT_EQ(scale("nvfp4", 1e5f), 0x7E);
}

TEST(Microscaled, EveryInstructionSetGivesTheSameBytes) {
  const std::vector<float> w = random_weights(32 * 37, 3, 0.02);
  const std::vector<float> h = [] {
    std::vector<float> all = random_weights(32 * 37, 9, 1e-3);
    for (float& x : all) x = std::fabs(x);
    return all;
  }();
  for (const char* spec : kSpecs) {
    const auto grid = make_grid(spec);
    Planes first;
    under_every_instruction_set([&] {
      const Planes planes = coded(*grid, w, h, Fit::search);
      if (first.empty()) first = planes;
      EXPECT_EQ(planes, first) << spec;
    });
  }
}

// The same values, so the same search: only the bytes' order is another.
TEST(Microscaled, HoldsTheValuesOfGgufsRecords) {
  const std::vector<float> w = random_weights(64 * 9, 5, 0.5);
  for (const std::string spec : {"mxfp4", "nvfp4"}) {
    const auto planes = make_grid(spec);
    const auto records = make_grid(spec + ":blocks");
    EXPECT_EQ(decoded(*planes, coded(*planes, w, {}, Fit::search), w.size()),
              decoded(*records, coded(*records, w, {}, Fit::search), w.size()))
        << spec;
  }
}

// One weight beside which the others vanish, and which counts for nothing.
TEST(Microscaled, TheSearchWeighsWithImportance) {
  for (const auto& [spec, outlier] :
       {std::pair{"mxfp4", 0.3f}, {"mxfp8", 300.0f}, {"nvfp4", 0.3f}}) {
    std::vector<float> w = random_weights(32, 8, 0.02), h(32, 1.0f);
    w[5] = outlier;
    h[5] = 0;
    const auto grid = make_grid(spec);
    const auto error = [&](Floats importance) {
      const Planes planes = coded(*grid, w, importance, Fit::search);
      const std::vector<float> values = decoded(*grid, planes, w.size());
      double sum = 0;
      for (std::size_t i = 0; i < w.size(); ++i)
        sum += h[i] * std::pow(static_cast<double>(values[i]) - w[i], 2);
      return sum;
    };
    EXPECT_LT(error(h), 0.9 * error({})) << spec;
  }
}

}  // namespace
}  // namespace zp
