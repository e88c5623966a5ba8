// The nearest entries of many cells at once, one cell at one scale a lane.
//
// What an entry costs a cell is a sum over its two halves, and a half has only 81 (or 64) patterns
// of levels: their costs are tabled first, then of each pattern of the second half the least of the
// first halves that stand with it is found, in the order of lattice_plan.h. Lanes do not mix, so
// every vector width gives the same bits. To turn one sign of weight i from right to wrong
// costs 4 scale h |w| v more; a half's table with a turn has the cheapest of its weights'.
//
// Whole numbers instead of FP32 are twice or four times as many to a vector. What a level costs
// more than the weight's nearest one is rounded to them; what the nearest ones cost stays FP32. The
// unit is a share of scale^2 times the cell's importance.
#include <bit>
#include <type_traits>

#include "grid/lattice.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/lattice_vector.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

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

template <class T>
void share_rows(const LatticePlan& plan, Row<T>* rows) {
  const Tag<T> d;
  Row<T>* to = rows + plan.patterns;
  for (const auto& [a, b] : plan.shared)
    hn::Store(hn::Min(hn::Load(d, rows[a]), hn::Load(d, rows[b])), d, *to++);
}

// The least cost of any entry so far, and, where it matters, which run of entries has it.
template <class T, bool kEntries>
struct Best {
  using Runs = std::make_unsigned_t<std::conditional_t<kWhole<T>, T, std::int32_t>>;
  hn::Vec<Tag<T>> cost;
  hn::Vec<Tag<Runs>> run;

  HWY_INLINE void offer(hn::Vec<Tag<T>> other, std::size_t index) {
    if constexpr (kEntries) {
      const Tag<Runs> runs;
      const auto better = hn::RebindMask(runs, hn::Lt(other, cost));
      run = hn::IfThenElse(better, hn::Set(runs, static_cast<Runs>(index)), run);
    }
    cost = hn::Min(other, cost);
  }
};

template <class T>
struct Found {
  using Runs = typename Best<T, true>::Runs;
  alignas(64) Row<T> cost;
  alignas(64) Row<Runs> run;

  template <bool kEntries>
  HWY_INLINE void store(const Best<T, kEntries>& best) {
    hn::Store(best.cost, Tag<T>(), cost);
    hn::Store(best.run, Tag<Runs>(), run);
  }
};

// What the second half costs is added once for all entries of a run.
template <class T, bool kTurn, bool kBoth, bool kEntries>
void best_runs(const LatticePlan& plan, const Table<T>& low, const Table<T>& high, Found<T>& found,
               Found<T>& found_unturned) {
  const Tag<T> d;
  Best<T, kEntries> best{hn::Set(d, kNone<T>), hn::Zero(Tag<typename Found<T>::Runs>())};
  Best<T, kEntries> unturned = best;
  const std::uint8_t* row = plan.rows.data();
  for (std::size_t n = 0; n < plan.runs.size(); ++n) {
    const LatticePlan::Run& r = plan.runs[n];
    auto least = hn::Load(d, low.cost[row[0]]);
    auto turned = hn::Load(d, low.turned[kTurn ? row[0] : 0]);
    auto other_least = least;  // two chains of minima, so that neither waits for the other
    auto other_turned = turned;
    const auto take = [&](std::uint8_t from, hn::Vec<Tag<T>>& cost, hn::Vec<Tag<T>>& extra)
                          HWY_ATTR {
                            cost = hn::Min(cost, hn::Load(d, low.cost[from]));
                            if constexpr (kTurn)
                              extra = hn::Min(extra, hn::Load(d, low.turned[from]));
                          };
    const std::uint8_t* end = row + r.count;
    for (row += 1; row + 2 <= end; row += 2) {
      take(row[0], least, turned);
      take(row[1], other_least, other_turned);
    }
    if (row != end) take(*row++, least, turned);
    least = hn::Min(least, other_least);
    if constexpr (kTurn) turned = hn::Min(turned, other_turned);
    const auto upper = hn::Load(d, high.cost[r.high]);
    if constexpr (kBoth || !kTurn) (kTurn ? unturned : best).offer(sum_of<T>(least, upper), n);
    if constexpr (kTurn) {
      const auto other = sum_of<T>(least, hn::Load(d, high.turned[r.high]));
      best.offer(hn::Min(other, sum_of<T>(turned, upper)), n);
    }
  }
  found.store(best);
  if constexpr (kBoth) found_unturned.store(unturned);
}

// Bit n % kBits<T> of word n / kBits<T>, lane by lane: the first half's pattern n costs what is
// known to be the least with the pattern of the second half that this was found for.
template <class T>
using Bits = std::conditional_t<kWhole<T>, T, std::uint32_t>;
template <class T>
constexpr std::size_t kBits = 8 * sizeof(T);
template <class T>
struct Members {
  static constexpr std::size_t kWords = (kLatticePatterns + kBits<T> - 1) / kBits<T>;
  alignas(64) Row<Bits<T>> word[kWords];
};

template <class T, bool kTurn>
void find_members(const LatticePlan& plan, const Found<T>& found, const Table<T>& low,
                  const Table<T>& high, Members<T>& members) {
  const Tag<T> d;
  const Tag<Bits<T>> db;
  alignas(64) Row<T> straight;
  alignas(64) Row<T> turned;
  for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane) {
    const std::uint8_t pattern = plan.runs[found.run[lane]].high;
    straight[lane] = high.cost[pattern][lane];
    if constexpr (kTurn) turned[lane] = high.turned[pattern][lane];
  }
  const auto best = hn::Load(d, found.cost);
  const auto upper = hn::Load(d, straight);
  const auto upper_turned = kTurn ? hn::Load(d, turned) : upper;
  for (std::size_t word = 0, n = 0; n < plan.patterns; ++word) {
    const std::size_t end = HWY_MIN(n + kBits<T>, plan.patterns);
    auto bits = hn::Zero(db);
    for (auto bit = hn::Set(db, 1); n < end; ++n, bit = hn::Add(bit, bit)) {
      auto cost = sum_of<T>(hn::Load(d, low.cost[n]), upper_turned);
      if constexpr (kTurn) cost = hn::Min(cost, sum_of<T>(hn::Load(d, low.turned[n]), upper));
      bits = hn::Or(bits, hn::IfThenElseZero(hn::RebindMask(db, hn::Eq(cost, best)), bit));
    }
    hn::Store(bits, db, members.word[word]);
  }
}

// An entry of the run that costs the least for the cell in one lane.
template <class T>
std::int32_t entry_of(const LatticePlan& plan, const LatticePlan::Run& run,
                      const Members<T>& members, std::size_t lane) {
  constexpr std::size_t kPerWord = 64 / kBits<T>;
  for (std::size_t word = 0; word * kBits<T> < plan.patterns; ++word) {
    const std::uint64_t in_run = run.patterns[word / kPerWord] >> (word % kPerWord * kBits<T>);
    const std::uint64_t both = in_run & members.word[word][lane];
    if (both == 0) continue;
    const auto pattern = word * kBits<T> + static_cast<std::size_t>(std::countr_zero(both));
    return plan.entries[run.high * plan.patterns + pattern];
  }
  return run.begin;  // no cost is a number
}

// Of the trials there are.
template <class T, bool kTurn>
void give_entries(const LatticePlan& plan, const Found<T>& found, const Table<T>& low,
                  const Table<T>& high, std::size_t count, std::int32_t* entry) {
  Members<T> members;
  find_members<T, kTurn>(plan, found, low, high, members);
  for (std::size_t c = 0; c < count; ++c) {
    const std::size_t lane = c % hn::Lanes(Reals()) * kParts<T> + c / hn::Lanes(Reals());
    entry[c] = entry_of<T>(plan, plan.runs[found.run[lane]], members, lane);
  }
}

// Costs as numbers again, of the trials there are. False: one may be too small.
template <class T>
bool give_costs(const Found<T>& found, const Measure& m, std::size_t count, float* cost) {
  const Reals d;
  const WordTag dw;
  if constexpr (!kWhole<T>) {
    hn::Store(hn::Load(d, found.cost), d, cost);
    return true;
  } else {
    const auto words = hn::BitCast(dw, hn::Load(Tag<T>(), found.cost));
    const auto most = hn::Set(dw, static_cast<std::uint32_t>(kMost<T>));
    bool sound = true;
    for (std::size_t g = 0; g * hn::Lanes(d) < count; ++g) {
      const std::size_t at = g * hn::Lanes(d);
      const auto whole =
          hn::And(hn::ShiftRightSame(words, static_cast<int>(8 * sizeof(T) * g)), most);
      sound = sound && hn::AllFalse(dw, hn::Eq(whole, most));
      const auto number = hn::ConvertTo(d, hn::BitCast(hn::RebindToSigned<Reals>(), whole));
      const auto sum = hn::Add(hn::Load(d, m.base + at), number);
      hn::Store(hn::Mul(hn::Load(d, m.unit + at), sum), d, cost + at);
    }
    return sound;
  }
}

template <class T, bool kTurn, bool kBoth, bool kEntries>
bool nearest_lanes(const LatticeType& type, LatticeCells& cells, std::size_t at) {
  constexpr std::size_t kBase = kBoth ? 8 : kTurn ? 3 : 0;
  Table<T> low;
  Table<T> high;
  Measure m;
  const Places from = places<T>(cells, at);
  if constexpr (kWhole<T>) measure<T>(type, cells, from, m);
  if (kBase == 3 || (kBase == 0 && type.dims == 8)) {
    half_table<T, kTurn, 3>(type, cells, 0, from, m, low);
    half_table<T, kTurn, 3>(type, cells, 4, from, m, high);
  } else {
    half_table<T, kTurn, 8>(type, cells, 0, from, m, low);
    half_table<T, kTurn, 8>(type, cells, 2, from, m, high);
  }
  const LatticePlan& plan = type.plan();
  share_rows<T>(plan, low.cost);
  if constexpr (kTurn) share_rows<T>(plan, low.turned);
  Found<T> found;
  Found<T> unturned;
  best_runs<T, kTurn, kBoth, kEntries>(plan, low, high, found, unturned);
  const std::size_t count = HWY_MIN(hn::Lanes(Tag<T>()), cells.trials * cells.stride() - at);
  bool sound = give_costs(found, m, count, cells.cost.data() + at);
  if constexpr (kBoth) sound &= give_costs(unturned, m, count, cells.unturned_cost.data() + at);
  if constexpr (kEntries) {
    give_entries<T, kTurn>(plan, found, low, high, count, cells.entry.data() + at);
    if constexpr (kBoth)
      give_entries<T, false>(plan, unturned, low, high, count, cells.unturned_entry.data() + at);
  }
  return sound;
}

template <class T, bool kEntries>
bool nearest_in(const LatticeType& type, LatticeCells& cells, bool turn) {
  bool sound = true;
  for (std::size_t at = 0; at < cells.trials * cells.stride(); at += hn::Lanes(Tag<T>())) {
    sound &= !turn            ? nearest_lanes<T, false, false, kEntries>(type, cells, at)
             : type.dims == 8 ? nearest_lanes<T, true, false, kEntries>(type, cells, at)
                              : nearest_lanes<T, true, true, kEntries>(type, cells, at);
  }
  return sound;
}

bool nearest_cells(const LatticeType& type, LatticeCells& cells, LatticeCosts costs, bool turn,
                   bool entries) {
  const auto in = [&](auto zero) {
    using T = decltype(zero);
    return entries ? nearest_in<T, true>(type, cells, turn)
                   : nearest_in<T, false>(type, cells, turn);
  };
  switch (costs) {
    case LatticeCosts::exact:
      return in(0.0f);
    case LatticeCosts::fine:
      return in(std::uint16_t{});
    case LatticeCosts::rough:
      return in(std::uint8_t{});
  }
  return false;
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(nearest_cells);

bool lattice_nearest(const LatticeType& type, LatticeCells& cells, LatticeCosts costs,
                     bool entries) noexcept {
  bool turn = false;
  for (std::size_t c = 0; c < cells.count; ++c) turn = turn || cells.turn[c] != 0;
  return HWY_DYNAMIC_DISPATCH(nearest_cells)(type, cells, costs, turn, entries);
}

}  // namespace zp
#endif
