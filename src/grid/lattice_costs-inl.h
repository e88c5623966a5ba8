// What each pattern of levels of half a cell costs, one cell at one scale a lane: in FP32, or in
// whole numbers, of which twice or four times as many go into a vector. What a level costs more
// than the weight's nearest one is rounded to them; what the nearest ones cost stays FP32. The unit
// is a share of scale^2 times the cell's importance.
//
// To turn one sign of weight i from right to wrong costs 4 scale h |w| v more; a half's table with
// a turn has the cheapest of its weights'.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <type_traits>

#include "grid/lattice.h"

#if defined(ZP_GRID_LATTICE_COSTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_GRID_LATTICE_COSTS_INL_H_
#undef ZP_GRID_LATTICE_COSTS_INL_H_
#else
#define ZP_GRID_LATTICE_COSTS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Reals = hn::CappedTag<float, 16>;
using Real = hn::Vec<Reals>;
using WordTag = hn::RebindToUnsigned<Reals>;
using Words = hn::Vec<WordTag>;
template <class T>
using Tag = hn::Repartition<T, Reals>;
template <class T>
constexpr std::size_t kRow = 64 / sizeof(T);  // lanes of the longest vector
template <class T>
using Row = T[kRow<T>];
constexpr std::size_t kMostLanes = 64;

template <class T>
constexpr bool kWhole = !std::is_same_v<T, float>;
template <class T>
constexpr float kMost = std::is_same_v<T, std::uint8_t> ? 255.0f : 65535.0f;
// Above any cost.
template <class T>
constexpr T kNone = kWhole<T> ? static_cast<T>(kMost<T>) : static_cast<T>(3.0e38f);

// A row of cells for each pattern of a half's levels, and for the plan's shared rows.
template <class T>
struct Table {
  alignas(64) Row<T> cost[kLatticeRows];
  alignas(64) Row<T> turned[kLatticeRows];
};

// Cost of each level of one weight, and what turning its sign adds.
template <class T>
struct Element {
  alignas(64) Row<T> cost[8];
  alignas(64) Row<T> extra[8];
};

// Vectors of FP32 to one of T. Lane i of vector g is the vector of T's lane i kParts + g.
template <class T>
constexpr std::size_t kParts = sizeof(float) / sizeof(T);
constexpr std::size_t kMostParts = 4;

// Where each part finds its cells: those beyond the last trial again from the first.
struct Places {
  std::size_t trial[kMostParts];
  std::size_t cell[kMostParts];
};

template <class T>
Places places(const LatticeCells& cells, std::size_t at) {
  Places from{};
  const std::size_t stride = cells.stride();
  std::size_t trial = at;
  for (std::size_t g = 0; g < kParts<T>; ++g) {
    from.trial[g] = trial;
    from.cell[g] = static_cast<std::uint32_t>(trial) % static_cast<std::uint32_t>(stride);
    trial += hn::Lanes(Reals());
    if (trial == cells.trials * stride) trial = 0;
  }
  return from;
}

// How costs become whole numbers, part by part.
struct Measure {
  alignas(64) float inverse[kMostLanes];  // of the scale, or 0
  alignas(64) float gain[kMostLanes];     // whole numbers of a level^2, over importance
  alignas(64) float unit[kMostLanes];     // what 1 stands for
  alignas(64) float base[kMostLanes];     // what the nearest levels cost, in units
};

template <class T>
void measure(const LatticeType& type, const LatticeCells& cells, const Places& from, Measure& m) {
  const Reals d;
  constexpr auto kCosts =
      std::is_same_v<T, std::uint8_t> ? LatticeCosts::rough : LatticeCosts::fine;
  const auto gain = hn::Set(d, 1 / lattice_unit(type, kCosts));
  for (std::size_t g = 0; g < kParts<T>; ++g) {
    const std::size_t to = g * hn::Lanes(d);
    const auto scale = hn::Load(d, cells.scale.data() + from.trial[g]);
    auto sum = hn::Zero(d);
    for (std::size_t i = 0; i < type.dims; ++i)
      sum = hn::Add(sum, hn::Load(d, cells.h[i].data() + from.cell[g]));
    const auto one = hn::Set(d, 1.0f);
    const auto sound = hn::Gt(scale, hn::Set(d, 1.0e-30f));
    const auto counts = hn::Gt(sum, hn::Set(d, 1.0e-30f));
    hn::Store(hn::IfThenElseZero(sound, hn::Div(one, scale)), d, m.inverse + to);
    hn::Store(hn::IfThenElseZero(counts, hn::Div(gain, sum)), d, m.gain + to);
    hn::Store(hn::Div(hn::Mul(hn::Mul(scale, scale), sum), gain), d, m.unit + to);
    hn::Store(hn::Zero(d), d, m.base + to);
  }
}

// The whole number nearest to v, which is at least 0, into part g.
template <class T>
HWY_INLINE Words with_part(Words words, Real v, std::size_t g) {
  const Reals d;
  const WordTag dw;
  // Behind 2^23 the last bit of FP32 is 1, and all above the last 16 are shifted out.
  const auto sum = hn::Add(hn::Min(v, hn::Set(d, kMost<T>)), hn::Set(d, 0x1p23f));
  const auto bits = hn::BitCast(dw, sum);
  if (g == 0) return hn::And(bits, hn::Set(dw, static_cast<std::uint32_t>(kMost<T>)));
  return hn::Or(words, hn::ShiftLeftSame(bits, static_cast<int>(8 * sizeof(T) * g)));
}

template <class T, bool kTurn, std::size_t kBase>
HWY_INLINE void whole_costs(const LatticeType& type, const LatticeCells& cells, std::size_t i,
                            const Places& from, Measure& m, Element<T>& e) {
  const Reals d;
  const Tag<T> dt;
  const auto far = hn::Set(d, 1024.0f);
  Words words[kBase];
  Words extra[kBase];
  for (std::size_t g = 0; g < kParts<T>; ++g) {
    const std::size_t at = g * hn::Lanes(d);
    const auto h = hn::Mul(hn::Load(d, cells.h[i].data() + from.cell[g]), hn::Load(d, m.gain + at));
    auto y = hn::Mul(hn::Load(d, cells.x[i].data() + from.cell[g]), hn::Load(d, m.inverse + at));
    y = hn::Min(y, far);
    if (type.shift != 0)
      y = hn::Sub(hn::Max(y, hn::Neg(far)), hn::Load(d, cells.shift.data() + from.trial[g]));
    Real cost[kBase];
    auto least = hn::Set(d, 3.0e38f);
    for (std::size_t k = 0; k < kBase; ++k) {
      const auto off = hn::Sub(y, hn::Set(d, type.levels[k]));
      cost[k] = hn::Mul(h, hn::Mul(off, off));
      least = hn::Min(least, cost[k]);
    }
    hn::Store(hn::Add(hn::Load(d, m.base + at), least), d, m.base + at);
    for (std::size_t k = 0; k < kBase; ++k)
      words[k] = with_part<T>(words[k], hn::Sub(cost[k], least), g);
    if constexpr (kTurn) {
      const auto turn = hn::Ne(hn::Load(d, cells.turn.data() + from.cell[g]), hn::Zero(d));
      const auto hy4 = hn::IfThenElseZero(turn, hn::Mul(hn::Set(d, 4.0f), hn::Mul(h, y)));
      for (std::size_t k = 0; k < kBase; ++k)
        extra[k] = with_part<T>(extra[k], hn::Mul(hy4, hn::Set(d, type.levels[k])), g);
    }
  }
  for (std::size_t k = 0; k < kBase; ++k) {
    hn::Store(hn::BitCast(dt, words[k]), dt, e.cost[k]);
    if constexpr (kTurn) hn::Store(hn::BitCast(dt, extra[k]), dt, e.extra[k]);
  }
}

template <bool kTurn, std::size_t kBase>
HWY_INLINE void exact_costs(const LatticeType& type, const LatticeCells& cells, std::size_t i,
                            const Places& from, Element<float>& e) {
  const Reals d;
  const auto x = hn::Load(d, cells.x[i].data() + from.cell[0]);
  const auto h = hn::Load(d, cells.h[i].data() + from.cell[0]);
  const auto scale = hn::Load(d, cells.scale.data() + from.trial[0]);
  const auto shift = hn::Load(d, cells.shift.data() + from.trial[0]);
  const auto turn = hn::Ne(hn::Load(d, cells.turn.data() + from.cell[0]), hn::Zero(d));
  const auto hx4 = hn::Mul(hn::Set(d, 4.0f), hn::Mul(h, x));
  for (std::size_t k = 0; k < kBase; ++k) {
    const auto v = hn::Mul(scale, hn::Add(hn::Set(d, type.levels[k]), shift));
    const auto off = hn::Sub(x, v);
    hn::Store(hn::Mul(h, hn::Mul(off, off)), d, e.cost[k]);
    if constexpr (kTurn) hn::Store(hn::IfThenElseZero(turn, hn::Mul(hx4, v)), d, e.extra[k]);
  }
}

template <class T>
HWY_INLINE hn::Vec<Tag<T>> sum_of(hn::Vec<Tag<T>> a, hn::Vec<Tag<T>> b) {
  if constexpr (kWhole<T>) {
    return hn::SaturatedAdd(a, b);
  } else {
    return hn::Add(a, b);
  }
}

// All patterns of `a` below those of `b`: pattern n of a and m of b is n + count m.
template <class T, bool kTurn, std::size_t kCount>
void combine(const Row<T>* a, const Row<T>* a_extra, const Row<T>* b, const Row<T>* b_extra,
             Row<T>* out, Row<T>* extra) {
  const Tag<T> d;
  for (std::size_t m = 0; m < kCount; ++m) {
    const auto upper = hn::Load(d, b[m]);
    for (std::size_t n = 0; n < kCount; ++n) {
      const std::size_t to = n + kCount * m;
      hn::Store(sum_of<T>(hn::Load(d, a[n]), upper), d, out[to]);
      if constexpr (kTurn)
        hn::Store(hn::Min(hn::Load(d, a_extra[n]), hn::Load(d, b_extra[m])), d, extra[to]);
    }
  }
}

template <class T, bool kTurn, std::size_t kBase>
void half_table(const LatticeType& type, const LatticeCells& cells, std::size_t first,
                const Places& from, Measure& measured, Table<T>& table) {
  const Tag<T> d;
  Element<T> e[4];
  constexpr std::size_t kHalf = kBase == 3 ? 4 : 2;
  for (std::size_t i = 0; i < kHalf; ++i) {
    if constexpr (kWhole<T>) {
      whole_costs<T, kTurn, kBase>(type, cells, first + i, from, measured, e[i]);
    } else {
      exact_costs<kTurn, kBase>(type, cells, first + i, from, e[i]);
    }
  }
  std::size_t patterns = kBase * kBase;
  if constexpr (kHalf == 2) {
    combine<T, kTurn, kBase>(e[0].cost, e[0].extra, e[1].cost, e[1].extra, table.cost,
                             table.turned);
  } else {
    alignas(64) Row<T> pair[2][9];
    alignas(64) Row<T> pair_extra[2][9];
    for (std::size_t k = 0; k < 2; ++k) {
      combine<T, kTurn, kBase>(e[2 * k].cost, e[2 * k].extra, e[2 * k + 1].cost, e[2 * k + 1].extra,
                               pair[k], pair_extra[k]);
    }
    combine<T, kTurn, 9>(pair[0], pair_extra[0], pair[1], pair_extra[1], table.cost, table.turned);
    patterns *= patterns;
  }
  if constexpr (kTurn) {
    for (std::size_t n = 0; n < patterns; ++n) {
      hn::Store(sum_of<T>(hn::Load(d, table.cost[n]), hn::Load(d, table.turned[n])), d,
                table.turned[n]);
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
