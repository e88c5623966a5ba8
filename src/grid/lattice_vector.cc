// The nearest entries of many cells at once, one cell a lane.
//
// What an entry costs a cell is a sum over its two halves, and a half has only 81 (or 64) patterns
// of levels: their costs are tabled first, then of each pattern of the second half the least of the
// first halves that stand with it is found, in the order of lattice_plan.h. Lanes do not mix, so
// every vector width gives the same bits. To turn one sign of weight i from right to wrong
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
using Integers = hn::Vec<hn::RebindToSigned<Tag>>;
constexpr std::size_t kRow = 32;  // lanes of two of the longest vectors
using Row = float[kRow];

// A row of cells for each pattern of a half's levels, and for the plan's shared rows.
struct Table {
  alignas(64) Row cost[kLatticeRows];
  alignas(64) Row turned[kLatticeRows];
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

void share_rows(const LatticePlan& plan, Row* rows) {
  const Tag d;
  Row* to = rows + plan.patterns;
  for (const auto& [a, b] : plan.shared) {
    for (std::size_t g = 0; g < 2 * hn::Lanes(d); g += hn::Lanes(d))
      hn::Store(hn::Min(hn::Load(d, rows[a] + g), hn::Load(d, rows[b] + g)), d, *to + g);
    ++to;
  }
}

// The least cost of any entry so far, and where the run of entries begins that has it.
struct Best {
  hn::Vec<Tag> cost;
  Integers run;

  HWY_INLINE void offer(hn::Vec<Tag> other, std::int32_t begin) {
    const hn::RebindToSigned<Tag> di;
    const auto better = hn::Lt(other, cost);
    cost = hn::IfThenElse(better, other, cost);
    run = hn::IfThenElse(hn::RebindMask(di, better), hn::Set(di, begin), run);
  }
  void store(float* to_cost, std::int32_t* to_run) const {
    hn::StoreU(cost, Tag(), to_cost);
    hn::StoreU(run, hn::RebindToSigned<Tag>(), to_run);
  }
};

struct Found {
  alignas(64) std::int32_t run[kRow];
  alignas(64) std::int32_t unturned_run[kRow];
};

// What the second half costs is added once for all entries of a run.
template <bool kTurn, bool kBoth>
void best_runs(const LatticePlan& plan, const Table& low, const Table& high, LatticeCells& cells,
               std::size_t at, Found& found) {
  const Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const Best none{hn::Set(d, 3.0e38f), hn::Zero(hn::RebindToSigned<Tag>())};
  Best best0 = none, best1 = none, unturned0 = none, unturned1 = none;
  const std::uint8_t* row = plan.rows.data();
  for (const LatticePlan::Run& r : plan.runs) {
    auto least0 = hn::Set(d, 3.0e38f);
    auto least1 = least0, turned0 = least0, turned1 = least0;
    for (const std::uint8_t* end = row + r.count; row != end; ++row) {
      least0 = hn::Min(least0, hn::Load(d, low.cost[*row]));
      least1 = hn::Min(least1, hn::Load(d, low.cost[*row] + lanes));
      if constexpr (kTurn) {
        turned0 = hn::Min(turned0, hn::Load(d, low.turned[*row]));
        turned1 = hn::Min(turned1, hn::Load(d, low.turned[*row] + lanes));
      }
    }
    const auto high0 = hn::Load(d, high.cost[r.high]);
    const auto high1 = hn::Load(d, high.cost[r.high] + lanes);
    if constexpr (kBoth || !kTurn) {
      (kTurn ? unturned0 : best0).offer(hn::Add(least0, high0), r.begin);
      (kTurn ? unturned1 : best1).offer(hn::Add(least1, high1), r.begin);
    }
    if constexpr (kTurn) {
      const auto other0 = hn::Add(least0, hn::Load(d, high.turned[r.high]));
      const auto other1 = hn::Add(least1, hn::Load(d, high.turned[r.high] + lanes));
      best0.offer(hn::Min(other0, hn::Add(turned0, high0)), r.begin);
      best1.offer(hn::Min(other1, hn::Add(turned1, high1)), r.begin);
    }
  }
  best0.store(cells.cost.data() + at, found.run);
  best1.store(cells.cost.data() + at + lanes, found.run + lanes);
  if constexpr (kBoth) {
    unturned0.store(cells.unturned_cost.data() + at, found.unturned_run);
    unturned1.store(cells.unturned_cost.data() + at + lanes, found.unturned_run + lanes);
  }
}

// The first entry of a run that costs what is known to be the least, for the cell in one lane.
template <bool kTurn>
std::int32_t best_of_run(std::span<const std::uint16_t> codebook, std::int32_t begin, float best,
                         const Table& low, const Table& high, std::size_t lane) {
  const std::size_t b = codebook[static_cast<std::size_t>(begin)] >> 8;
  const float high_cost = high.cost[b][lane];
  const float high_turned = kTurn ? high.turned[b][lane] : high_cost;
  for (auto k = static_cast<std::size_t>(begin); k < codebook.size() && codebook[k] >> 8 == b;
       ++k) {
    const std::size_t a = codebook[k] & 0xFF;
    float cost = low.cost[a][lane] + high_turned;
    if constexpr (kTurn) cost = HWY_MIN(cost, low.turned[a][lane] + high_cost);
    if (cost == best) return static_cast<std::int32_t>(k);
  }
  return begin;  // no cost is a number
}

template <bool kTurn, bool kBoth>
void nearest_lanes(const LatticeType& type, LatticeCells& cells, std::size_t at, bool entries) {
  const Tag d;
  Table low;
  Table high;
  half_table<kTurn>(type, cells, 0, at, low);
  half_table<kTurn>(type, cells, type.dims / 2, at, high);
  const LatticePlan& plan = type.plan();
  share_rows(plan, low.cost);
  if constexpr (kTurn) share_rows(plan, low.turned);
  Found found;
  best_runs<kTurn, kBoth>(plan, low, high, cells, at, found);
  const std::size_t count = entries ? HWY_MIN(2 * hn::Lanes(d), cells.count - at) : 0;
  for (std::size_t c = 0; c < count; ++c) {
    cells.entry[at + c] =
        best_of_run<kTurn>(type.codebook, found.run[c], cells.cost[at + c], low, high, c);
    if constexpr (kBoth) {
      cells.unturned_entry[at + c] = best_of_run<false>(type.codebook, found.unturned_run[c],
                                                        cells.unturned_cost[at + c], low, high, c);
    }
  }
}

void nearest_cells(const LatticeType& type, LatticeCells& cells, bool turn, bool entries) {
  const Tag d;
  for (std::size_t at = 0; at < cells.count; at += 2 * hn::Lanes(d)) {
    if (!turn) {
      nearest_lanes<false, false>(type, cells, at, entries);
    } else if (type.dims == 8) {
      nearest_lanes<true, false>(type, cells, at, entries);
    } else {
      nearest_lanes<true, true>(type, cells, at, entries);
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(nearest_cells);

void lattice_nearest(const LatticeType& type, LatticeCells& cells, bool entries) noexcept {
  bool turn = false;
  for (std::size_t c = 0; c < cells.count; ++c) turn = turn || cells.turn[c] != 0;
  HWY_DYNAMIC_DISPATCH(nearest_cells)(type, cells, turn, entries);
}

}  // namespace zp
#endif
