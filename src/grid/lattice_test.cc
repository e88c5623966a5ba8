// The codebook grids: the vector code against every entry in turn, and what fitting promises.
#include "grid/lattice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "grid/grid.h"
#include "kernel/every_instruction_set.h"
#include "number/half.h"

namespace zp {
namespace {

std::vector<float> heavy(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> w(count);
  for (float& x : w)
    x = static_cast<float>(0.02 * random.normal() * std::exp(0.5 * random.normal()));
  return w;
}

std::vector<float> lognormal(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> h(count);
  for (float& x : h) x = static_cast<float>(std::exp(random.normal()));
  return h;
}

LatticeCells random_cells(const LatticeType& type, bool turn) {
  LatticeCells cells{};
  cells.trials = 1;
  cells.count = 37;  // no multiple of any vector's lanes
  const std::vector<float> w = heavy(8 * cells.count, 3);
  const std::vector<float> h = lognormal(8 * cells.count, 5);
  for (std::size_t c = 0; c < cells.count; ++c) {
    for (std::size_t i = 0; i < type.dims; ++i) {
      cells.x[i][c] = type.shift == 0 ? std::fabs(w[8 * c + i]) : w[8 * c + i];
      cells.h[i][c] = h[8 * c + i];
    }
    cells.scale[c] = (0.5f + static_cast<float>(c % 5) / 4) * 0.02f / type.typical;
    cells.shift[c] = c % 2 == 0 ? type.shift : -type.shift;
    cells.turn[c] = turn && c % 3 == 0 ? 1.0f : 0.0f;
  }
  return cells;
}

// sum h (x - s v)^2, one sign turned wrong where it must be.
double cost_of(const LatticeType& type, const LatticeCells& cells, std::size_t c, Code entry) {
  double sum = 0;
  double least = std::numeric_limits<double>::infinity();
  const std::array<float, 8> values = type.values(entry, cells.shift[c] < 0 ? 1 : 0);
  for (std::size_t i = 0; i < type.dims; ++i) {
    const double v = cells.scale[c] * values[i];
    const double x = cells.x[i][c];
    sum += cells.h[i][c] * (x - v) * (x - v);
    least = std::min(least, cells.h[i][c] * 4 * x * v);
  }
  return cells.turn[c] != 0 ? sum + least : sum;
}

double least_cost(const LatticeType& type, const LatticeCells& cells, std::size_t c) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < type.codebook.size(); ++k)
    least = std::min(least, cost_of(type, cells, c, static_cast<Code>(k)));
  return least;
}

// In FP32 x - v is off by 2^-24 of the larger, so a term by 2^-22 of h (x^2 + v^2) at most.
double rounding_of(const LatticeType& type, const LatticeCells& cells, std::size_t c) {
  double energy = 0;
  for (std::size_t i = 0; i < type.dims; ++i) {
    const double top = cells.scale[c] * type.top();
    energy += cells.h[i][c] * (std::pow(cells.x[i][c], 2) + top * top);
  }
  return std::ldexp(energy, -21);
}

TEST(Lattice, NearestEntryIsTheBestOfTheCodebook) {
  for (const LatticeType& type : lattice_types()) {
    for (const bool turn : {false, true}) {
      if (turn && type.shift != 0) continue;
      LatticeCells cells = random_cells(type, turn);
      EXPECT_TRUE(lattice_nearest(type, cells, LatticeCosts::exact, true));
      for (std::size_t c = 0; c < cells.count; ++c) {
        const double least = least_cost(type, cells, c);
        EXPECT_LE(cost_of(type, cells, c, cells.entry[c]), least + rounding_of(type, cells, c))
            << type.name << " cell " << c;
      }
    }
  }
}

// Each weight's cost is rounded to a whole number, and that of a turned sign: half of one at most.
TEST(Lattice, CostsInWholeNumbersAreOffByHalfOfOneForEachWeight) {
  for (const LatticeType& type : lattice_types()) {
    for (const bool turn : {false, true}) {
      if (turn && type.shift != 0) continue;
      for (const LatticeCosts costs : {LatticeCosts::fine, LatticeCosts::rough}) {
        LatticeCells cells = random_cells(type, turn);
        const bool sound = lattice_nearest(type, cells, costs, true);
        EXPECT_TRUE(sound || costs == LatticeCosts::rough) << type.name;
        for (std::size_t c = 0; c < cells.count; ++c) {
          double importance = 0;
          for (std::size_t i = 0; i < type.dims; ++i) importance += cells.h[i][c];
          const double unit = std::pow(cells.scale[c], 2) * importance * lattice_unit(type, costs);
          const double off = unit * (0.51 * static_cast<double>(type.dims + 1));
          const double least = least_cost(type, cells, c);
          EXPECT_LE(cells.cost[c], least + off) << type.name << " cell " << c;
          if (!sound) continue;
          EXPECT_GE(cells.cost[c], least - off) << type.name << " cell " << c;
          EXPECT_LE(cost_of(type, cells, c, cells.entry[c]), least + 2 * off) << type.name;
        }
      }
    }
  }
}

// Of the entries whose levels differ from the nearest ones in one weight at most, there by moving
// from 0 to the weight's sign or back, the least cost; infinity where there is none.
double least_within_a_move(const LatticeType& type, const LatticeCells& cells, std::size_t c) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < type.codebook.size(); ++k) {
    const std::array<float, 8> values = type.values(static_cast<Code>(k), cells.shift[c] < 0);
    int moved = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      const float x = cells.x[i][c] - cells.scale[c] * cells.shift[c];
      const float level = values[i] - cells.shift[c];
      const float sign = x < 0 ? -1.0f : 1.0f;
      const float nearest = 2 * std::fabs(x) > cells.scale[c] ? sign : 0.0f;
      moved += level == -sign ? 8 : level != nearest ? 1 : 0;
    }
    if (moved <= 1) least = std::min(least, cost_of(type, cells, c, static_cast<Code>(k)));
  }
  return least;
}

TEST(Lattice, AnEstimateIsTheBestWithinOneMoveOfTheNearestLevels) {
  for (const LatticeType& type : lattice_types()) {
    if (type.moves == nullptr) continue;
    LatticeCells cells = random_cells(type, false);
    lattice_estimate(type, cells);
    LatticeCells free = random_cells(type, false);
    lattice_least(free);
    std::size_t within = 0;
    for (std::size_t c = 0; c < cells.count; ++c) {
      EXPECT_LE(free.cost[c], least_cost(type, cells, c) + rounding_of(type, cells, c))
          << "cell " << c;
      EXPECT_GE(cells.cost[c], free.cost[c]) << "cell " << c;
      const double best = least_within_a_move(type, cells, c);
      if (std::isinf(best)) continue;
      ++within;
      EXPECT_NEAR(cells.cost[c], best, rounding_of(type, cells, c)) << "cell " << c;
    }
    EXPECT_GE(within, cells.count / 2) << type.name;
  }
}

TEST(Lattice, ATrialOfManyCostsWhatItCostsAlone) {
  for (const LatticeType& type : lattice_types()) {
    for (const LatticeCosts costs :
         {LatticeCosts::exact, LatticeCosts::fine, LatticeCosts::rough}) {
      LatticeCells many = random_cells(type, type.shift == 0);
      many.trials = 5;
      for (std::size_t t = 0; t < many.trials; ++t) {
        for (std::size_t c = 0; c < many.count; ++c) {
          const std::size_t at = t * many.stride() + c;
          many.scale[at] = many.scale[c] * (1 + 0.125f * static_cast<float>(t));
          many.shift[at] = many.shift[c];
        }
      }
      lattice_nearest(type, many, costs, false);
      for (std::size_t t = 0; t < many.trials; ++t) {
        LatticeCells one = random_cells(type, type.shift == 0);
        for (std::size_t c = 0; c < one.count; ++c) one.scale[c] = many.scale[t * one.stride() + c];
        lattice_nearest(type, one, costs, false);
        for (std::size_t c = 0; c < one.count; ++c)
          EXPECT_EQ(one.cost[c], many.cost[t * many.stride() + c]) << type.name << " trial " << t;
      }
    }
  }
}

TEST(Lattice, EveryInstructionSetGivesTheSameBytes) {
  const std::vector<float> w = heavy(2048, 7);
  const std::vector<float> h = lognormal(1024, 9);
  for (const LatticeType& type : lattice_types()) {
    const auto grid = make_grid(type.name);
    std::vector<std::byte> first;
    under_every_instruction_set([&] {
      std::vector<std::byte> bytes(static_cast<std::size_t>(grid->bytes(2, 1024)));
      std::byte* const planes[] = {bytes.data()};
      grid->quantize({w.data(), 2, 1024}, h, Fit::search, planes);
      if (first.empty()) first = bytes;
      EXPECT_EQ(bytes, first) << type.name;
    });
  }
}

double weighted_error(const Grid& grid, const std::vector<float>& w, Floats h, Floats by) {
  const auto cols = static_cast<std::int64_t>(w.size());
  std::vector<std::byte> bytes(static_cast<std::size_t>(grid.bytes(1, cols)));
  std::byte* const planes[] = {bytes.data()};
  grid.quantize({w.data(), 1, cols}, h, Fit::search, planes);
  std::vector<float> decoded(w.size());
  const std::byte* const in[] = {bytes.data()};
  grid.decode(in, {decoded.data(), 1, cols});
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i)
    sum += by[i] * std::pow(static_cast<double>(w[i]) - decoded[i], 2);
  return sum;
}

TEST(Lattice, ImportanceMovesTheErrorToWhereItCountsLess) {
  const std::vector<float> w = heavy(4096, 11);
  const std::vector<float> h = lognormal(4096, 13);
  for (const LatticeType& type : lattice_types()) {
    const auto grid = make_grid(type.name);
    EXPECT_LT(weighted_error(*grid, w, h, h), weighted_error(*grid, w, {}, h)) << type.name;
  }
}

TEST(Lattice, OnlyTheRatiosOfImportanceMatter) {
  const std::vector<float> w = heavy(512, 15);
  const std::vector<float> h = lognormal(512, 17);
  std::vector<float> scaled = h;
  for (float& x : scaled) x = std::ldexp(x, 40);
  for (const LatticeType& type : lattice_types()) {
    const auto grid = make_grid(type.name);
    EXPECT_EQ(weighted_error(*grid, w, h, h), weighted_error(*grid, w, scaled, h)) << type.name;
  }
}

TEST(Lattice, AUnitWithOtherWeightsIsFittedAnewWithTheBestOfAllItsScales) {
  const std::vector<float> w = heavy(kLatticeBlock, 19);
  for (const LatticeType& type : lattice_types()) {
    LatticeParams p;
    lattice_fit(type, p, w, {}, Fit::search);
    const LatticeRecord before = p.record;
    lattice_fit_unit(type, p, 1, Floats(w).subspan(type.unit, type.unit));
    EXPECT_EQ(p.record.code, before.code) << type.name;  // the same weights: nothing to do
    std::vector<float> other(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(type.unit));
    for (float& x : other) x *= 0.6f;
    lattice_fit_unit(type, p, 1, other);
    const auto error = [&](int level) {
      LatticeParams q = p;
      q.record.level[1] = static_cast<std::uint8_t>(level);
      q.w.fill(0);  // so that codes are chosen again
      std::array<Code, kLatticeCells> codes;
      lattice_encode(type, q, type.unit, other, codes);
      const double scale = fp16_to_float(p.record.d) * type.multiplier(level);
      double sum = 0;
      for (std::size_t i = 0; i < other.size(); ++i) {
        const double v = type.values(codes[i / type.dims], p.record.shift[1])[i % type.dims];
        sum += std::pow(other[i] - scale * v, 2);
      }
      return sum;
    };
    const double chosen = error(p.record.level[1]);
    for (int level = 0; level < type.scales; ++level)
      EXPECT_LE(chosen, error(level) * (1 + std::ldexp(1, -16))) << type.name << " l " << level;
  }
}

}  // namespace
}  // namespace zp
