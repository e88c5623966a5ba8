// The FP4 blocks' vector code: the same bytes everywhere, and no scale of all would have been
// better.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "grid/grid.h"
#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

constexpr std::array kSpecs = {"mxfp4:blocks", "nvfp4:blocks"};
constexpr std::size_t kCols = 64 * 11;  // no whole number of tiles

std::vector<float> lognormal_signed(std::size_t count, std::uint64_t seed, double size) {
  Random random(seed);
  std::vector<float> w(count);
  for (float& x : w)
    x = static_cast<float>(size * random.normal() * std::exp(0.7 * random.normal()));
  return w;
}

std::vector<float> importance(std::size_t count) {
  std::vector<float> h = lognormal_signed(count, 9, 1e-30);
  for (float& x : h) x = std::fabs(x);
  return h;
}

std::vector<std::byte> coded(const Grid& grid, Floats w, Floats h, Fit fit) {
  const auto rows = static_cast<std::int64_t>(w.size() / kCols);
  std::vector<std::byte> bytes(static_cast<std::size_t>(grid.bytes(rows, kCols)));
  std::byte* const planes[] = {bytes.data()};
  grid.quantize({w.data(), rows, kCols}, h, fit, planes);
  return bytes;
}

double weighted_error(const Grid& grid, std::span<const std::byte> bytes, Floats w, Floats h) {
  std::vector<float> decoded(w.size());
  const std::byte* const in[] = {bytes.data()};
  grid.decode(in, {decoded.data(), 1, static_cast<std::int64_t>(w.size())});
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i)
    sum += h[i] * std::pow(static_cast<double>(w[i]) - decoded[i], 2);
  return sum;
}

TEST(Fp4Blocks, EveryInstructionSetGivesTheSameBytes) {
  for (const double size : {0.02, 1e-40}) {
    const std::vector<float> w = lognormal_signed(3 * kCols, 3, size);
    const std::vector<float> h = importance(kCols);
    for (const char* spec : kSpecs) {
      const auto grid = make_grid(spec);
      for (const Fit fit : {Fit::range, Fit::search}) {
        std::vector<std::byte> first;
        under_every_instruction_set([&] {
          const std::vector<std::byte> bytes = coded(*grid, w, h, fit);
          if (first.empty()) first = bytes;
          EXPECT_EQ(bytes, first) << spec;
        });
      }
    }
  }
}

// Codes of a block whose every scale has this code.
std::vector<std::byte> with_scale(const Grid& grid, int code, Floats w) {
  const auto cols = static_cast<std::int64_t>(w.size());
  std::vector<std::byte> params(static_cast<std::size_t>(grid.params_bytes(cols)),
                                static_cast<std::byte>(code));
  std::vector<Code> codes(w.size());
  std::vector<float> decoded(w.size());
  const auto unit = static_cast<std::size_t>(grid.shape(cols).unit);
  for (std::size_t j = 0; j < w.size(); j += unit) {
    grid.encode(params.data(), static_cast<std::int64_t>(j),
                {w.data() + j, 1, static_cast<std::int64_t>(unit)},
                {codes.data() + j, 1, static_cast<std::int64_t>(unit)},
                {decoded.data() + j, 1, static_cast<std::int64_t>(unit)});
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(grid.bytes(1, cols)));
  std::byte* const planes[] = {bytes.data()};
  grid.pack(params.data(), codes, planes);
  return bytes;
}

// A scale counts as better only from 2^-17 on (fp4_blocks_vector.cc); of one block's scales each
// is chosen alone, so blocks whose units hold the same weights are looked at.
TEST(Fp4Blocks, NoStoredScaleHasLessError) {
  for (const char* spec : kSpecs) {
    const auto grid = make_grid(spec);
    const GridShape shape = grid->shape(64);
    const auto unit = static_cast<std::size_t>(shape.unit);
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      std::vector<float> w = lognormal_signed(unit, seed, 0.5);
      std::vector<float> h = importance(unit);
      while (w.size() < static_cast<std::size_t>(shape.block)) {
        w.insert(w.end(), w.begin(), w.begin() + static_cast<std::ptrdiff_t>(unit));
        h.insert(h.end(), h.begin(), h.begin() + static_cast<std::ptrdiff_t>(unit));
      }
      std::vector<std::byte> bytes(static_cast<std::size_t>(grid->bytes(1, shape.block)));
      std::byte* const planes[] = {bytes.data()};
      grid->quantize({w.data(), 1, shape.block}, h, Fit::search, planes);
      const double found = weighted_error(*grid, bytes, w, h);
      double least = std::numeric_limits<double>::infinity();
      for (int code = 0; code <= (shape.block == 32 ? 252 : 126); ++code)
        least = std::min(least, weighted_error(*grid, with_scale(*grid, code, w), w, h));
      EXPECT_LE(found, least * (1 + 0x1p-16)) << spec << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace zp
