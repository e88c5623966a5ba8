// The nearest entries of many cells at once, one cell a lane.
//
// What an entry costs a cell is a sum over its two halves, and a half has only 81 (or 64) patterns
// of levels: their costs are tabled first, then every entry is two look-ups and a sum. Lanes do not
// mix, so every vector width gives the same bits. To turn one sign of weight i from right to wrong
// costs 4 scale h |w| v more; a half's table with a turn has the cheapest of its weights'.
//
// Two vectors of cells go side by side, and the codebook in two halves, so that no comparison waits
// for the one before.
#include "grid/lattice.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/lattice_vector.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Tag>;
using Integers = hn::Vec<hn::RebindToSigned<Tag>>;
constexpr std::size_t kPatterns = 81;
constexpr std::size_t kRow = 32;  // lanes of two of the longest vectors
using Row = float[kRow];

// A row of cells for each pattern of a half's levels.
struct Table {
  alignas(64) Row cost[kPatterns];
  alignas(64) Row turned[kPatterns];
};

// Cost of each level of one weight, and what turning its sign adds.
struct Element {
  alignas(64) Row cost[8];
  alignas(64) Row extra[8];
};

template <bool kTurn>
void element_costs(const LatticeType& type, const LatticeCells& cells, std::size_t i,
                   std::size_t at, Element& e) {
  const Tag d;
  for (std::size_t g = 0; g < 2 * hn::Lanes(d); g += hn::Lanes(d)) {
    const auto x = hn::LoadU(d, cells.x[i].data() + at + g);
    const auto h = hn::LoadU(d, cells.h[i].data() + at + g);
    const auto scale = hn::LoadU(d, cells.scale.data() + at + g);
    const auto shift = hn::LoadU(d, cells.shift.data() + at + g);
    const auto turn = hn::Ne(hn::LoadU(d, cells.turn.data() + at + g), hn::Zero(d));
    const auto hx4 = hn::Mul(hn::Set(d, 4.0f), hn::Mul(h, x));
    for (std::size_t k = 0; k < type.base(); ++k) {
      const auto v = hn::Mul(scale, hn::Add(hn::Set(d, type.levels[k]), shift));
      const auto off = hn::Sub(x, v);
      hn::Store(hn::Mul(h, hn::Mul(off, off)), d, e.cost[k] + g);
      if constexpr (kTurn) hn::Store(hn::IfThenElseZero(turn, hn::Mul(hx4, v)), d, e.extra[k] + g);
    }
  }
}

// All patterns of `a` below those of `b`: pattern n of a and m of b is n + count m.
template <bool kTurn>
void combine(const Row* a, const Row* a_extra, std::size_t count_a, const Row* b,
             const Row* b_extra, std::size_t count_b, Row* out, Row* extra) {
  const Tag d;
  for (std::size_t m = 0; m < count_b; ++m) {
    for (std::size_t n = 0; n < count_a; ++n) {
      const std::size_t to = n + count_a * m;
      for (std::size_t g = 0; g < 2 * hn::Lanes(d); g += hn::Lanes(d)) {
        hn::Store(hn::Add(hn::Load(d, a[n] + g), hn::Load(d, b[m] + g)), d, out[to] + g);
        if constexpr (kTurn) {
          const auto less = hn::Min(hn::Load(d, a_extra[n] + g), hn::Load(d, b_extra[m] + g));
          hn::Store(less, d, extra[to] + g);
        }
      }
    }
  }
}

template <bool kTurn>
void half_table(const LatticeType& type, const LatticeCells& cells, std::size_t first,
                std::size_t at, Table& table) {
  const Tag d;
  const std::size_t base = type.base();
  Element e[4];
  const std::size_t half = type.dims / 2;
  for (std::size_t i = 0; i < half; ++i) element_costs<kTurn>(type, cells, first + i, at, e[i]);
  std::size_t patterns = base * base;
  if (half == 2) {
    combine<kTurn>(e[0].cost, e[0].extra, base, e[1].cost, e[1].extra, base, table.cost,
                   table.turned);
  } else {
    alignas(64) Row pair[2][9];
    alignas(64) Row pair_extra[2][9];
    for (std::size_t k = 0; k < 2; ++k) {
      combine<kTurn>(e[2 * k].cost, e[2 * k].extra, base, e[2 * k + 1].cost, e[2 * k + 1].extra,
                     base, pair[k], pair_extra[k]);
    }
    combine<kTurn>(pair[0], pair_extra[0], patterns, pair[1], pair_extra[1], patterns, table.cost,
                   table.turned);
    patterns *= patterns;
  }
  if constexpr (kTurn) {
    for (std::size_t n = 0; n < patterns; ++n) {
      for (std::size_t g = 0; g < 2 * hn::Lanes(d); g += hn::Lanes(d)) {
        const auto sum = hn::Add(hn::Load(d, table.cost[n] + g), hn::Load(d, table.turned[n] + g));
        hn::Store(sum, d, table.turned[n] + g);
      }
    }
  }
}

template <bool kTurn>
HWY_INLINE Vector cost_of(const Table& low, const Table& high, std::size_t a, std::size_t b,
                          std::size_t g) {
  const Tag d;
  const auto at = [&](const Row* rows, std::size_t pattern) {
    return hn::Load(d, rows[pattern] + g);
  };
  if constexpr (!kTurn) return hn::Add(at(low.cost, a), at(high.cost, b));
  return hn::Min(hn::Add(at(low.turned, a), at(high.cost, b)),
                 hn::Add(at(low.cost, a), at(high.turned, b)));
}

HWY_INLINE void keep(Vector cost, Integers number, Vector& best, Integers& entry) {
  const hn::RebindToSigned<Tag> di;
  const auto better = hn::Lt(cost, best);
  best = hn::IfThenElse(better, cost, best);
  entry = hn::IfThenElse(hn::RebindMask(di, better), number, entry);
}

template <bool kTurn>
void nearest_lanes(const LatticeType& type, LatticeCells& cells, std::size_t at) {
  const Tag d;
  const hn::RebindToSigned<Tag> di;
  const std::size_t lanes = hn::Lanes(d);
  Table low;
  Table high;
  half_table<kTurn>(type, cells, 0, at, low);
  half_table<kTurn>(type, cells, type.dims / 2, at, high);
  const std::size_t half = type.codebook.size() / 2;
  const std::uint16_t* first = type.codebook.data();
  const std::uint16_t* second = first + half;
  auto best00 = hn::Set(d, 3.0e38f);  // half of the codebook, vector of cells
  auto best01 = best00, best10 = best00, best11 = best00;
  auto entry00 = hn::Zero(di);
  auto entry01 = entry00, entry10 = entry00, entry11 = entry00;
  auto number = hn::Zero(di);
  const auto one = hn::Set(di, 1);
  for (std::size_t k = 0; k < half; ++k) {
    const std::size_t a = first[k] & 0xFF, b = first[k] >> 8;
    keep(cost_of<kTurn>(low, high, a, b, 0), number, best00, entry00);
    keep(cost_of<kTurn>(low, high, a, b, lanes), number, best01, entry01);
    const std::size_t p = second[k] & 0xFF, q = second[k] >> 8;
    keep(cost_of<kTurn>(low, high, p, q, 0), number, best10, entry10);
    keep(cost_of<kTurn>(low, high, p, q, lanes), number, best11, entry11);
    number = hn::Add(number, one);
  }
  // Of equal ones the first half's stays: the first of the best.
  keep(best10, hn::Add(entry10, number), best00, entry00);
  keep(best11, hn::Add(entry11, number), best01, entry01);
  hn::StoreU(best00, d, cells.cost.data() + at);
  hn::StoreU(entry00, di, cells.entry.data() + at);
  hn::StoreU(best01, d, cells.cost.data() + at + lanes);
  hn::StoreU(entry01, di, cells.entry.data() + at + lanes);
}

void nearest_cells(const LatticeType& type, LatticeCells& cells, bool turn) {
  const Tag d;
  for (std::size_t at = 0; at < cells.count; at += 2 * hn::Lanes(d)) {
    if (turn) {
      nearest_lanes<true>(type, cells, at);
    } else {
      nearest_lanes<false>(type, cells, at);
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(nearest_cells);

void lattice_nearest(const LatticeType& type, LatticeCells& cells) noexcept {
  bool turn = false;
  for (std::size_t c = 0; c < cells.count; ++c) turn = turn || cells.turn[c] != 0;
  HWY_DYNAMIC_DISPATCH(nearest_cells)(type, cells, turn);
}

}  // namespace zp
#endif
