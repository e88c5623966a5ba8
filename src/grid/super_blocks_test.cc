#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "grid/super_blocks_layouts.h"
#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

class SuperBlocks : public testing::TestWithParam<SuperLayout> {};

struct Sample {
  std::vector<float> w, h;
  std::int64_t rows, cols;

  Matrix matrix() const { return {w.data(), rows, cols}; }
};

// Student t, 4 degrees of freedom; a block of zeros, tiny weights, one huge one. h: of very
// different sizes, some 0.
Sample sample(std::int64_t rows, std::int64_t cols) {
  Random random(31);
  Sample s{{}, {}, rows, cols};
  for (std::int64_t i = 0; i < rows * cols; ++i) {
    double square = 0;
    for (int k = 0; k < 4; ++k) square += std::pow(random.normal(), 2) / 4;
    s.w.push_back(static_cast<float>(0.02 * random.normal() / std::sqrt(square)));
  }
  for (std::int64_t i = 0; i < cols; ++i) {
    s.h.push_back(random.uniform() < 0.05 ? 0 : static_cast<float>(std::exp(random.normal())));
  }
  std::fill_n(s.w.begin(), 256, 0.0f);
  for (std::size_t i = 256; i < 512; ++i) s.w[i] *= 1e-5f;
  s.w[600] = 300;
  return s;
}

std::vector<std::byte> quantize(const SuperLayout& layout, const Sample& s, Floats h, Fit fit) {
  std::vector<std::byte> out(
      static_cast<std::size_t>(s.rows * s.cols / layout.weights() * layout.bytes));
  super_quantize(layout, s.matrix(), h, fit, out.data());
  return out;
}

std::vector<float> decode(const SuperLayout& layout, const std::vector<std::byte>& blocks) {
  std::vector<float> out(blocks.size() / static_cast<std::size_t>(layout.bytes) *
                         static_cast<std::size_t>(layout.weights()));
  super_decode(layout, blocks.data(), out);
  return out;
}

double error(const std::vector<float>& decoded, const Sample& s, Floats h) {
  double sum = 0;
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    const double e = static_cast<double>(decoded[i]) - s.w[i];
    sum += (h.empty() ? 1 : h[i % h.size()]) * e * e;
  }
  return sum;
}

TEST_P(SuperBlocks, BytesAreTheSameOnEveryInstructionSet) {
  const SuperLayout& layout = GetParam();
  const Sample s = sample(3, 1280);  // a tile and a half
  for (const bool weighted : {false, true}) {
    for (const Fit fit : {Fit::range, Fit::search}) {
      const Floats h = weighted ? Floats(s.h) : Floats();
      const std::vector<std::byte> expected = quantize(layout, s, h, fit);
      const std::vector<float> values = decode(layout, expected);
      under_every_instruction_set([&] {
        EXPECT_EQ(quantize(layout, s, h, fit), expected);
        expect_same_bits(decode(layout, expected), values);
      });
    }
  }
}

// A tile of sixteen units that is filled in part, from every number of blocks.
TEST_P(SuperBlocks, RowsOfAnyLengthHaveTheBytesOfTheirBlocks) {
  const SuperLayout& layout = GetParam();
  const Sample all = sample(1, 8704);
  for (std::int64_t blocks = 1; blocks <= 34; ++blocks) {
    Sample s{all.w, all.h, 1, blocks * layout.weights()};
    if (s.cols > all.cols) break;
    under_every_instruction_set([&] {
      const std::vector<std::byte> row =
          quantize(layout, s, Floats(s.h).first(static_cast<std::size_t>(s.cols)), Fit::search);
      const auto last = static_cast<std::size_t>(s.cols - layout.weights());
      const auto weights = static_cast<std::size_t>(layout.weights());
      std::vector<std::byte> block(static_cast<std::size_t>(layout.bytes));
      super_quantize(layout, {s.w.data() + last, 1, layout.weights()},
                     Floats(s.h).subspan(last, weights), Fit::search, block.data());
      EXPECT_TRUE(std::equal(block.begin(), block.end(), row.end() - layout.bytes)) << blocks;
    });
  }
}

TEST_P(SuperBlocks, PackedParametersAndCodesComeBack) {
  const SuperLayout& layout = GetParam();
  Random random(5);
  const auto any = [&](int lo, int hi) {
    return lo + static_cast<int>(random.uniform() * (hi - lo + 1));
  };
  for (int round = 0; round < 100; ++round) {
    SuperParams p{};
    p.d = static_cast<float>(any(-100, 100)) / 64;
    if (layout.has_min()) p.dmin = static_cast<float>(any(-100, 100)) / 64;
    for (std::size_t u = 0; u < static_cast<std::size_t>(layout.units); ++u) {
      p.scale[u] = static_cast<float>(any(layout.scale_lo, layout.scale_hi));
      p.min[u] = static_cast<float>(any(0, layout.min_hi));
    }
    std::vector<std::uint8_t> codes(static_cast<std::size_t>(layout.weights()));
    for (std::uint8_t& q : codes) q = static_cast<std::uint8_t>(any(0, layout.codes - 1));

    std::vector<std::byte> block(static_cast<std::size_t>(layout.bytes));
    super_pack(layout, p, codes.data(), block.data());
    std::vector<float> decoded(codes.size());
    super_decode(layout, block.data(), decoded);
    for (std::size_t j = 0; j < codes.size(); ++j) {
      const UnitScale s(p, j / static_cast<std::size_t>(layout.unit));
      const float level =
          layout.has_table() ? kIq4Levels[codes[j]] : static_cast<float>(layout.lowest + codes[j]);
      ASSERT_EQ(decoded[j], s.scale * level - s.min) << "weight " << j;
    }
  }
}

TEST_P(SuperBlocks, EveryBitOfABlockMeansSomething) {
  const SuperLayout& layout = GetParam();
  const auto weights = static_cast<std::size_t>(layout.weights());
  std::vector<std::byte> block(static_cast<std::size_t>(layout.bytes), std::byte{0x5A});
  const auto decoded = [&] {
    std::vector<float> all(weights);
    super_decode(layout, block.data(), all);
    return all;
  };
  const std::vector<float> before = decoded();
  for (std::size_t i = 0; i < block.size() * 8; ++i) {
    block[i / 8] ^= std::byte{1} << (i % 8);
    EXPECT_NE(decoded(), before) << "bit " << i;
    block[i / 8] ^= std::byte{1} << (i % 8);
  }
}

TEST_P(SuperBlocks, ImportanceMovesTheErrorToWhereItMattersLess) {
  const SuperLayout& layout = GetParam();
  const Sample s = sample(4, 1024);
  const auto found = [&](Floats h, Floats judge) {
    return error(decode(layout, quantize(layout, s, h, Fit::search)), s, judge);
  };
  EXPECT_LT(found(s.h, s.h), found({}, s.h));
  EXPECT_LT(found({}, {}), found(s.h, {}));
}

TEST_P(SuperBlocks, UnitsFollowWeightsThatChangedAfterTheBlockWasOpened) {
  const SuperLayout& layout = GetParam();
  if (layout.units == 1) GTEST_SKIP() << "a block is one unit";
  const Sample s = sample(1, 1024);
  const auto weights = static_cast<std::size_t>(layout.weights());
  const auto unit = static_cast<std::size_t>(layout.unit);
  const Floats block = Floats(s.w).last(weights);
  SuperParams p;
  super_open_blocks(layout, {block.data(), 1, std::ssize(block)}, {}, Fit::search, &p);
  std::vector<float> w(s.w.end() - static_cast<std::ptrdiff_t>(unit), s.w.end());
  for (float& v : w) v *= 0.5f;
  const auto u = static_cast<std::size_t>(layout.units - 1);
  SuperParams followed = p;
  super_open_units(layout, &followed, u, {w.data(), 1, std::ssize(w)}, {}, Fit::search);
  EXPECT_LT(std::fabs(followed.scale[u]), 0.75f * std::fabs(p.scale[u]));
  EXPECT_EQ(followed.d, p.d);
  EXPECT_EQ(followed.scale[0], p.scale[0]);
}

INSTANTIATE_TEST_SUITE_P(AllTypes, SuperBlocks,
                         testing::ValuesIn(kSuperLayouts.begin(), kSuperLayouts.end()),
                         [](const auto& type) { return std::string(type.param.name); });

}  // namespace
}  // namespace zp
