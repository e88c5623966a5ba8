// What every grid promises, tried on every grid that is registered.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "grid/grid.h"
#include "kernel/every_instruction_set.h"
#include "kernel/matmul.h"

namespace zp {
namespace {

struct Case {
  std::string name;
  std::int64_t rows;
  std::int64_t cols;
  std::vector<float> w;
};

std::vector<Case> cases() {
  Random random(7);
  std::vector<Case> all;
  const auto add = [&](const std::string& name, std::int64_t rows, std::int64_t cols, auto value) {
    Case c{name, rows, cols, std::vector<float>(static_cast<std::size_t>(rows * cols))};
    for (float& w : c.w) w = static_cast<float>(value());
    all.push_back(std::move(c));
  };
  const auto normal = [&] { return 0.02 * random.normal(); };
  const auto heavy = [&] {  // Student t, 3 degrees of freedom
    const double a = random.normal(), b = random.normal(), c = random.normal();
    return 0.02 * random.normal() / std::sqrt((a * a + b * b + c * c) / 3);
  };
  add("normal", 3, 256, normal);
  add("heavy tails", 2, 256, heavy);
  for (const std::int64_t cols : {1, 7, 31, 33, 100, 255}) add("odd length", 2, cols, normal);
  add("zero", 2, 96, [] { return 0.0; });
  add("constant", 2, 64, [] { return 0.37; });
  add("negative constant", 1, 64, [] { return -0.37; });
  add("denormal", 1, 64, [&] { return 1e-42 * random.normal(); });
  add("FP16 denormal", 1, 64, [&] { return 1e-7 * random.normal(); });
  add("positive", 1, 128, [&] { return 1 + 0.1 * random.uniform(); });
  add("one huge outlier", 1, 128, normal);
  all.back().w[77] = 900.0f;
  // The same for blocks of 256.
  add("zero", 2, 256, [] { return 0.0; });
  add("constant", 1, 512, [] { return 0.37; });
  add("negative constant", 1, 256, [] { return -0.37; });
  add("denormal", 1, 256, [&] { return 1e-42 * random.normal(); });
  add("FP16 denormal", 2, 256, [&] { return 1e-7 * random.normal(); });
  add("positive", 1, 768, [&] { return 1 + 0.1 * random.uniform(); });
  add("negative", 1, 256, [&] { return -1 - 0.1 * random.uniform(); });
  add("one huge outlier", 2, 256, normal);
  all.back().w[77] = 900.0f;
  add("zero beside others", 1, 1024, normal);
  std::fill_n(all.back().w.begin() + 96, 600, 0.0f);
  return all;
}

std::vector<std::string> all_specs() {
  std::vector<std::string> specs;
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples()) specs.push_back(spec);
  }
  return specs;
}

class Conformance : public testing::TestWithParam<std::string> {};

// Bytes and decoded values of a matrix walked through the four verbs, a row at a time.
struct Walked {
  std::vector<std::vector<std::byte>> planes;
  std::vector<float> decoded;
  std::vector<std::byte> params;
};

Walked walk(const Grid& grid, const Case& c, Fit fit, bool backwards, Floats h = {}) {
  const std::int64_t rows = grid.whole_tensor() ? 1 : c.rows;
  const std::int64_t cols = grid.whole_tensor() ? c.rows * c.cols : c.cols;
  const GridShape s = grid.shape(cols);
  const std::int64_t bytes = grid.params_bytes(cols);
  Walked out;
  out.decoded.resize(c.w.size());
  out.planes.resize(grid.planes().size());
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* row = c.w.data() + r * cols;
    std::vector<std::byte> params(static_cast<std::size_t>((cols + s.block - 1) / s.block * bytes));
    std::vector<Code> codes(static_cast<std::size_t>(cols));
    for (std::int64_t b = 0; b < cols; b += s.block) {
      std::byte* p = params.data() + b / s.block * bytes;
      const std::int64_t n = std::min(s.block, cols - b);
      const auto importance = [&](std::int64_t begin, std::int64_t count) {
        return h.empty()
                   ? h
                   : h.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
      };
      grid.open_block(p, {row + b, 1, n}, importance(b, n), fit);
      for (std::int64_t u = 0; u < n; u += s.unit) {
        const std::int64_t in_unit = std::min(s.unit, n - u);
        grid.open_unit(p, u / s.unit, {row + b + u, 1, in_unit}, importance(b + u, in_unit), fit);
      }
      for (std::int64_t k = 0; k < n; k += s.step) {  // every order of steps is allowed
        const std::int64_t j = backwards ? (n - 1 - k) / s.step * s.step : k;
        const std::int64_t step = std::min(s.step, n - j);
        grid.encode(p, j, {row + b + j, 1, step}, {codes.data() + b + j, 1, step},
                    {out.decoded.data() + r * cols + b + j, 1, step});
      }
    }
    std::vector<std::byte*> to;
    for (std::size_t p = 0; p < out.planes.size(); ++p) {
      const std::size_t at = out.planes[p].size();
      out.planes[p].resize(at + static_cast<std::size_t>(grid.row_bytes(p, cols)));
      to.push_back(out.planes[p].data() + at);
    }
    grid.pack(params.data(), codes, to);
  }
  return out;
}

std::vector<float> decode(const Grid& grid, const Case& c,
                          const std::vector<std::vector<std::byte>>& planes) {
  std::vector<float> out(c.w.size());
  std::vector<const std::byte*> in;
  for (const auto& p : planes) in.push_back(p.data());
  const bool whole = grid.whole_tensor();
  grid.decode(in, {out.data(), whole ? 1 : c.rows, whole ? c.rows * c.cols : c.cols});
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST_P(Conformance, WhatEncodeSaysIsWhatDecodeGives) {
  const auto grid = make_grid(GetParam());
  for (const Case& c : cases()) {
    if (!grid->why_not(c.cols).empty()) continue;
    for (const Fit fit : {Fit::range, Fit::search}) {
      const Walked walked = walk(*grid, c, fit, false);
      const std::vector<float> decoded = decode(*grid, c, walked.planes);
      ASSERT_TRUE(same_bits(decoded, walked.decoded)) << c.name;
      for (const float v : decoded) ASSERT_TRUE(std::isfinite(v)) << c.name;
    }
  }
}

// Bytes a row has by what is said of its planes: all of them are written, and none behind them.
TEST_P(Conformance, RowsFillTheBytesThatPlanesSay) {
  const auto grid = make_grid(GetParam());
  for (const Case& c : cases()) {
    if (!grid->why_not(c.cols).empty()) continue;
    std::vector<std::vector<std::byte>> written;
    for (const std::byte before : {std::byte{0x00}, std::byte{0xFF}}) {
      std::vector<std::byte*> out;
      std::vector<std::vector<std::byte>> planes;
      for (std::size_t p = 0; p < grid->planes().size(); ++p)
        planes.emplace_back(static_cast<std::size_t>(grid->row_bytes(p, c.cols)) + 1, before);
      for (std::vector<std::byte>& plane : planes) out.push_back(plane.data());
      grid->quantize({c.w.data(), 1, c.cols}, {}, Fit::range, out);
      for (std::vector<std::byte>& plane : planes) {
        ASSERT_EQ(plane.back(), before) << c.name;
        plane.pop_back();
        written.push_back(std::move(plane));
      }
    }
    const auto second = written.begin() + std::ssize(grid->planes());
    ASSERT_TRUE(std::equal(written.begin(), second, second, written.end())) << c.name;
  }
}

// Whatever vector code a grid has for many rows: more of them than lanes, columns one by one.
TEST_P(Conformance, RowsTogetherAreCodedAsAlone) {
  constexpr std::int64_t kRows = 19, kCols = 512;
  const auto grid = make_grid(GetParam());
  if (!grid->why_not(kCols).empty()) GTEST_SKIP() << grid->why_not(kCols);
  const GridShape s = grid->shape(kCols);
  Random random(11);
  std::vector<float> w(kRows * kCols), h(kCols);
  for (float& v : w) v = static_cast<float>(random.normal());
  for (float& v : h) v = static_cast<float>(std::exp(random.normal()));
  const Matrix all(w.data(), kRows, kCols);
  const auto size = static_cast<std::size_t>(grid->params_bytes(kCols));
  for (std::int64_t b = 0; b < kCols; b += s.block) {
    const std::int64_t n = std::min(s.block, kCols - b);
    const Floats of_block =
        Floats(h).subspan(static_cast<std::size_t>(b), static_cast<std::size_t>(n));
    std::vector<std::byte> together(kRows * size), alone(kRows * size);
    const auto alone_at = [&](std::int64_t r) {
      return alone.data() + r * static_cast<std::int64_t>(size);
    };
    grid->open_block(together.data(), all.columns(b, n), of_block, Fit::search);
    for (std::int64_t r = 0; r < kRows; ++r)
      grid->open_block(alone_at(r), all.columns(b, n).rows_from(r, 1), of_block, Fit::search);
    for (std::int64_t u = 0; u < n; u += s.unit) {
      const std::int64_t count = std::min(s.unit, n - u);
      const Floats of_unit =
          of_block.subspan(static_cast<std::size_t>(u), static_cast<std::size_t>(count));
      const Matrix unit = all.columns(b + u, count);
      grid->open_unit(together.data(), u / s.unit, unit, of_unit, Fit::search);
      for (std::int64_t r = 0; r < kRows; ++r)
        grid->open_unit(alone_at(r), u / s.unit, unit.rows_from(r, 1), of_unit, Fit::search);
      for (std::int64_t k = u; k < u + count; k += s.step) {
        const std::int64_t step = std::min(s.step, u + count - k);
        std::vector<float> column(static_cast<std::size_t>(kRows * step)), values(column.size());
        std::vector<Code> codes(column.size());
        for (std::int64_t r = 0; r < kRows; ++r)
          std::ranges::copy(all.columns(b + k, step).row(r), column.begin() + r * step);
        grid->encode(together.data(), k, {column.data(), kRows, step}, {codes.data(), kRows, step},
                     {values.data(), kRows, step});
        for (std::int64_t r = 0; r < kRows; ++r) {
          std::vector<float> value(static_cast<std::size_t>(step));
          std::vector<Code> code(value.size());
          grid->encode(alone_at(r), k, {column.data() + r * step, 1, step}, {code.data(), 1, step},
                       {value.data(), 1, step});
          ASSERT_TRUE(std::equal(code.begin(), code.end(), codes.begin() + r * step))
              << r << ", " << k;
          ASSERT_TRUE(std::equal(value.begin(), value.end(), values.begin() + r * step));
        }
      }
    }
  }
}

TEST_P(Conformance, StepsMayComeInAnyOrder) {
  const auto grid = make_grid(GetParam());
  for (const Case& c : cases()) {
    if (!grid->why_not(c.cols).empty()) continue;
    EXPECT_EQ(walk(*grid, c, Fit::search, false).planes, walk(*grid, c, Fit::search, true).planes)
        << c.name;
  }
}

// Of very different sizes, some zero, and all zero for a while.
std::vector<float> importance(std::int64_t count) {
  Random random(9);
  std::vector<float> h(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < h.size(); ++i) {
    const bool none = random.uniform() < 0.1 || (i >= 20 && i < 70);
    h[i] = none ? 0.0f : static_cast<float>(1e-6 * std::exp(3 * random.normal()));
  }
  return h;
}

TEST_P(Conformance, OnePassGivesTheBytesOfTheWalk) {
  const auto grid = make_grid(GetParam());
  for (const Case& c : cases()) {
    if (!grid->why_not(c.cols).empty()) continue;
    const std::int64_t row = grid->whole_tensor() ? c.rows * c.cols : c.cols;
    const std::vector<float> weighted = importance(row);
    const auto same = [&](Fit fit, Floats h) {
      const Walked walked = walk(*grid, c, fit, false, h);
      auto planes = walked.planes;
      std::vector<std::byte*> to;
      for (auto& p : planes) {
        std::fill(p.begin(), p.end(), std::byte{0xA5});
        to.push_back(p.data());
      }
      const bool whole = grid->whole_tensor();
      grid->quantize({c.w.data(), whole ? 1 : c.rows, whole ? c.rows * c.cols : c.cols}, h, fit,
                     to);
      EXPECT_EQ(planes, walked.planes) << c.name;
    };
    same(Fit::range, {});
    same(Fit::search, {});
    same(Fit::search, weighted);
  }
}

TEST_P(Conformance, ZeroStaysZero) {
  const auto grid = make_grid(GetParam());
  for (const Case& c : cases()) {
    if (c.name != "zero" || !grid->why_not(c.cols).empty()) continue;
    for (const float v : decode(*grid, c, walk(*grid, c, Fit::search, false).planes))
      EXPECT_EQ(v, 0.0f);
  }
}

// The search may only gain on the range it starts from (both errors summed the same way).
TEST_P(Conformance, SearchIsNoWorseThanRange) {
  const auto grid = make_grid(GetParam());
  for (const Case& c : cases()) {
    if (!grid->why_not(c.cols).empty()) continue;
    const auto error = [&](Fit fit) {
      const std::vector<float> decoded = decode(*grid, c, walk(*grid, c, fit, false).planes);
      double sum = 0;
      for (std::size_t i = 0; i < c.w.size(); ++i)
        sum += std::pow(static_cast<double>(decoded[i]) - c.w[i], 2);
      return sum;
    };
    EXPECT_LE(error(Fit::search), error(Fit::range)) << c.name;
  }
}

// A row in which no column counts (its inputs were never anything but zero) is coded as well as on
// its range, whatever stands beside it.
TEST_P(Conformance, WhatCountsForNothingIsStillCoded) {
  const auto grid = make_grid(GetParam());
  for (const Case& c : cases()) {
    if (c.rows != 1 && c.name != "normal" && c.name != "heavy tails") continue;
    if (!grid->why_not(c.cols).empty() || grid->whole_tensor()) continue;
    const std::vector<float> none(static_cast<std::size_t>(c.cols), 0.0f);
    const auto error = [&](Fit fit, Floats h) {
      const std::vector<float> decoded = decode(*grid, c, walk(*grid, c, fit, false, h).planes);
      double sum = 0;
      for (std::size_t i = 0; i < c.w.size(); ++i)
        sum += std::pow(static_cast<double>(decoded[i]) - c.w[i], 2);
      return sum;
    };
    EXPECT_LE(error(Fit::search, none), error(Fit::range, {})) << c.name;
  }
}

TEST_P(Conformance, LimitCanBeStored) {
  const auto grid = make_grid(GetParam());
  const auto limit = static_cast<float>(grid->limit());
  Case c{"limit", 1, 256, std::vector<float>(256, limit)};
  for (std::size_t i = 0; i < c.w.size(); i += 2) c.w[i] = -c.w[i];
  for (const Fit fit : {Fit::range, Fit::search}) {
    for (const float v : decode(*grid, c, walk(*grid, c, fit, false).planes))
      EXPECT_TRUE(std::isfinite(v));
  }
}

/// Planes of rows x cols, of whatever bytes.
std::vector<std::vector<std::byte>> any_planes(const Grid& grid, std::int64_t rows,
                                               std::int64_t cols) {
  Random random(11);
  std::vector<std::vector<std::byte>> planes;
  for (std::size_t p = 0; p < grid.planes().size(); ++p) {
    planes.emplace_back(static_cast<std::size_t>(rows * grid.row_bytes(p, cols)));
    for (std::byte& b : planes.back()) b = static_cast<std::byte>(random.uniform() * 256);
  }
  return planes;
}

// Infinite and NaN scales among them.
TEST_P(Conformance, AnyBytesDecodeAndMultiplyTheSameOnEveryInstructionSet) {
  const auto grid = make_grid(GetParam());
  for (const std::int64_t cols : {256, 768, 100, 33}) {
    if (!grid->why_not(cols).empty()) continue;
    const std::int64_t rows = grid->whole_tensor() ? 1 : 7;  // one group of rows and some more
    const std::vector<float> x = normal_floats(static_cast<std::size_t>(cols), 12);
    const auto planes = any_planes(*grid, rows, cols);
    std::vector<const std::byte*> in;
    for (const auto& plane : planes) in.push_back(plane.data());
    std::vector<float> first;
    under_every_instruction_set([&] {
      std::vector<float> decoded(static_cast<std::size_t>(rows * cols));
      grid->decode(in, {decoded.data(), rows, cols});
      if (first.empty()) first = decoded;
      expect_same_bits(decoded, first);
      std::vector<float> sums(static_cast<std::size_t>(rows));
      grid->products(in, x, sums);
      std::vector<float> expected;
      for (std::int64_t r = 0; r < rows; ++r) {
        expected.push_back(dot(x, Matrix(first.data(), rows, cols).row(r)));
      }
      expect_same_bits(sums, expected);
    });
  }
}

TEST_P(Conformance, ProductsAreThoseOfWhatIsDecoded) {
  const auto grid = make_grid(GetParam());
  for (const Case& c : cases()) {
    if (!grid->why_not(c.cols).empty()) continue;
    const std::int64_t rows = grid->whole_tensor() ? 1 : c.rows;
    const std::int64_t cols = grid->whole_tensor() ? c.rows * c.cols : c.cols;
    const std::vector<float> x = normal_floats(static_cast<std::size_t>(cols), 13);
    const Walked walked = walk(*grid, c, Fit::range, false);
    std::vector<const std::byte*> in;
    for (const auto& plane : walked.planes) in.push_back(plane.data());
    std::vector<float> expected;
    for (std::int64_t r = 0; r < rows; ++r) {
      expected.push_back(dot(x, Matrix(walked.decoded.data(), rows, cols).row(r)));
    }
    under_every_instruction_set([&] {
      std::vector<float> sums(static_cast<std::size_t>(rows));
      grid->products(in, x, sums);
      expect_same_bits(sums, expected);
    });
  }
}

TEST_P(Conformance, SpecIsCanonical) {
  const auto grid = make_grid(GetParam());
  EXPECT_EQ(make_grid(grid->spec())->spec(), grid->spec());
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllGrids, Conformance, testing::ValuesIn(all_specs()), test_name);

TEST(Spec, LeftOutWordsTakeTheDefaults) {
  AffineForm defaults;
  defaults.group = 64;
  defaults.offset = Offset::min;
  defaults.scale = ScaleType::sbf16;
  EXPECT_EQ(make_grid("int4", defaults)->spec(), "int4:g64:min:sbf16");
  EXPECT_EQ(make_grid("int3:g32", defaults)->spec(), "int3:g32:min:sbf16");
  EXPECT_EQ(make_grid("uint8:channel:zero:s32", defaults)->spec(), "uint8:channel:zero:s32");
}

TEST(Spec, NamesHaveNoCase) {
  EXPECT_EQ(make_grid("INT4:G32")->spec(), make_grid("int4:g32")->spec());
  EXPECT_EQ(make_grid("Q4_K")->spec(), "q4_k");
}

TEST(Spec, RefusesWhatIsNoGrid) {
  for (const char* spec :
       {"", "int", "int1", "int9", "int17", "int4:g0", "int4:g-1", "int4:g", "int4:", "int4:g32x",
        "int4:middle", "q4_2", "fp15", "int4:g99999999999999999999", "uint4:sym:", "int 4"}) {
    EXPECT_THROW(make_grid(spec), UsageError) << spec;
  }
}

}  // namespace
}  // namespace zp
