// The nearest entries of many cells at once, one cell at one scale a lane.
//
// What an entry costs a cell is a sum over its two halves, and a half has only 81 (or 64) patterns
// of levels: their costs are tabled first (lattice_costs-inl.h), then of each pattern of the second
// half the least of the first halves that stand with it is found, in the order of lattice_plan.h.
// Lanes do not mix, so every vector width gives the same bits.
#include <bit>

#include "grid/lattice.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/lattice_vector.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
// After foreach_target.h.
#include "grid/lattice_costs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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
