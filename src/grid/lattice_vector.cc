// The nearest entries of many cells at once, one cell a lane.
//
// What an entry costs a cell is a sum over its two halves, and a half has only 81 (or 64) patterns
// of levels: their costs are tabled first, then every entry is two look-ups and a sum. Lanes do not
// mix, so every vector width gives the same bits. To turn one sign of weight i from right to wrong
// costs 4 scale h |w| v more; a half's table with a turn has the cheapest of its weights'.
#include "grid/lattice.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/lattice_vector.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, 16>;
constexpr std::size_t kPatterns = 81;
constexpr std::size_t kMaxLanes = 16;

// A row of lanes for each pattern of a half's levels.
struct Table {
  alignas(64) float cost[kPatterns][kMaxLanes];
  alignas(64) float turned[kPatterns][kMaxLanes];
};

// Cost of each level of one weight, and what turning its sign adds.
struct Element {
  alignas(64) float cost[8][kMaxLanes];
  alignas(64) float extra[8][kMaxLanes];
};

template <bool kTurn>
void element_costs(const LatticeType& type, const LatticeCells& cells, std::size_t i,
                   std::size_t at, Element& e) {
  const Tag d;
  const auto x = hn::Load(d, cells.x[i].data() + at);
  const auto h = hn::Load(d, cells.h[i].data() + at);
  const auto scale = hn::Load(d, cells.scale.data() + at);
  const auto shift = hn::Load(d, cells.shift.data() + at);
  const auto hx = hn::Mul(h, x);
  const auto turn = hn::Ne(hn::Load(d, cells.turn.data() + at), hn::Zero(d));
  for (std::size_t k = 0; k < type.base(); ++k) {
    const auto v = hn::Mul(scale, hn::Add(hn::Set(d, type.levels[k]), shift));
    const auto off = hn::Sub(x, v);
    hn::Store(hn::Mul(h, hn::Mul(off, off)), d, e.cost[k]);
    if constexpr (kTurn) {
      const auto extra = hn::Mul(hn::Set(d, 4.0f), hn::Mul(hx, v));
      hn::Store(hn::IfThenElseZero(turn, extra), d, e.extra[k]);
    }
  }
}

// All patterns of `a` below those of `b`: pattern n of a and m of b is n + count m.
template <bool kTurn>
void combine(const float (*a)[kMaxLanes], const float (*a_extra)[kMaxLanes], std::size_t count_a,
             const float (*b)[kMaxLanes], const float (*b_extra)[kMaxLanes], std::size_t count_b,
             float (*out)[kMaxLanes], float (*extra)[kMaxLanes]) {
  const Tag d;
  for (std::size_t m = 0; m < count_b; ++m) {
    for (std::size_t n = 0; n < count_a; ++n) {
      const std::size_t to = n + count_a * m;
      hn::Store(hn::Add(hn::Load(d, a[n]), hn::Load(d, b[m])), d, out[to]);
      if constexpr (kTurn)
        hn::Store(hn::Min(hn::Load(d, a_extra[n]), hn::Load(d, b_extra[m])), d, extra[to]);
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
    alignas(64) float pair[2][9][kMaxLanes];
    alignas(64) float pair_extra[2][9][kMaxLanes];
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
      hn::Store(hn::Add(hn::Load(d, table.cost[n]), hn::Load(d, table.turned[n])), d,
                table.turned[n]);
    }
  }
}

template <bool kTurn>
void nearest_lanes(const LatticeType& type, LatticeCells& cells, std::size_t at) {
  const Tag d;
  const hn::RebindToSigned<Tag> di;
  Table low;
  Table high;
  half_table<kTurn>(type, cells, 0, at, low);
  half_table<kTurn>(type, cells, type.dims / 2, at, high);
  const auto cost_of = [&](std::uint16_t digits) {
    const std::size_t a = digits & 0xFF;
    const std::size_t b = digits >> 8;
    if constexpr (kTurn) {
      return hn::Min(hn::Add(hn::Load(d, low.turned[a]), hn::Load(d, high.cost[b])),
                     hn::Add(hn::Load(d, low.cost[a]), hn::Load(d, high.turned[b])));
    } else {
      return hn::Add(hn::Load(d, low.cost[a]), hn::Load(d, high.cost[b]));
    }
  };
  // Four quarters of the codebook side by side: none waits for another's comparison. Joined in
  // their order, the first of the best stays the first.
  const std::size_t quarter = type.codebook.size() / 4;
  const std::uint16_t* entries = type.codebook.data();
  auto best0 = hn::Set(d, 3.0e38f);
  auto best1 = best0, best2 = best0, best3 = best0;
  auto entry0 = hn::Zero(di);
  auto entry1 = entry0, entry2 = entry0, entry3 = entry0;
  auto number = hn::Zero(di);
  const auto one = hn::Set(di, 1);
  const auto keep = [&](auto cost, auto at_entry, auto& best, auto& entry) {
    const auto better = hn::Lt(cost, best);
    best = hn::IfThenElse(better, cost, best);
    entry = hn::IfThenElse(hn::RebindMask(di, better), at_entry, entry);
  };
  for (std::size_t k = 0; k < quarter; ++k) {
    keep(cost_of(entries[k]), number, best0, entry0);
    keep(cost_of(entries[k + quarter]), number, best1, entry1);
    keep(cost_of(entries[k + 2 * quarter]), number, best2, entry2);
    keep(cost_of(entries[k + 3 * quarter]), number, best3, entry3);
    number = hn::Add(number, one);
  }
  keep(best1, hn::Add(entry1, number), best0, entry0);
  keep(best2, hn::Add(entry2, hn::Add(number, number)), best0, entry0);
  keep(best3, hn::Add(entry3, hn::Add(number, hn::Add(number, number))), best0, entry0);
  hn::Store(best0, d, cells.cost.data() + at);
  hn::Store(entry0, di, cells.entry.data() + at);
}

void nearest_cells(const LatticeType& type, LatticeCells& cells, bool turn) {
  const Tag d;
  for (std::size_t at = 0; at < cells.count; at += hn::Lanes(d)) {
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
