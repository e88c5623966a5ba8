// Sixteen units of a super-block type side by side, one in each lane, so that every unit is fitted
// by the same sequence of scalar operations whatever the width of a vector: the same bits on every
// instruction set. Sums run over a unit's weights in order.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "grid/super_blocks.h"
#include "kernel/whole-inl.h"

#ifndef ZP_GRID_SUPER_BLOCKS_TILE_ONCE
#define ZP_GRID_SUPER_BLOCKS_TILE_ONCE
namespace zp {

inline constexpr std::size_t kTileUnits = 16;
inline constexpr std::size_t kLongestUnit = 32;

/// One number for each unit of a tile.
struct alignas(64) PerUnit {
  float at[kTileUnits];
};

/// Of weight j of unit l: h[j].at[l].
struct Importance {
  PerUnit h[kLongestUnit];  ///< unset where there is none
  PerUnit n;                ///< sum of h, or the number of weights
};

/// Weight j of unit l is x[j].at[l].
struct Tile {
  PerUnit x[kLongestUnit];
  const Importance* importance;

  const PerUnit& h(std::size_t j) const { return importance->h[j]; }
  const PerUnit& n() const { return importance->n; }
};

/// Midpoints of kIq4Levels.
inline constexpr float kIq4Middles[16] = {-115.5f, -93.5f, -74.0f, -57.0f, -42.0f, -28.5f,
                                          -16.0f,  -4.5f,  7.0f,   19.0f,  31.5f,  45.5f,
                                          61.0f,   79.0f,  101.0f, 0.0f};

/// Least importance, of the largest of the unit; a power of two.
inline constexpr float kLeastImportance = 0x1p-20f;

/// The power of two that brings the largest of h to [1, 2); 1 if there is none above 0.
inline float power_of_importance(Floats h) noexcept {
  const float most = h.empty() ? 0 : *std::max_element(h.begin(), h.end());
  return most > 0 ? std::ldexp(1.0f, -std::ilogb(most)) : 1;
}

/// Divisors to try, as shares of the number of largest magnitude: it becomes a multiple of about
/// the extreme whole number that can be stored (of two the one of larger magnitude), and of less.
inline PerUnit divisor_shares(int lo, int hi) noexcept {
  const float extreme = lo < 0 ? static_cast<float>(lo) - 0.45f : static_cast<float>(hi) + 0.45f;
  PerUnit shares;
  for (std::size_t i = 0; i < kTileUnits; ++i)
    shares.at[i] = 1 / (extreme * (1 - 0.01f * static_cast<float>(i)));
  return shares;
}

}  // namespace zp
#endif

#if defined(ZP_GRID_SUPER_BLOCKS_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_GRID_SUPER_BLOCKS_TILE_INL_H_
#undef ZP_GRID_SUPER_BLOCKS_TILE_INL_H_
#else
#define ZP_GRID_SUPER_BLOCKS_TILE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kTileUnits>;
using V = hn::Vec<D>;
constexpr std::size_t kVectorUnits = hn::MaxLanes(D());

HWY_INLINE V set(float v) { return hn::Set(D(), v); }
HWY_INLINE V zero() { return hn::Zero(D()); }
HWY_INLINE V load(const PerUnit& from, std::size_t l) { return hn::Load(D(), from.at + l); }
HWY_INLINE void store(V v, PerUnit& to, std::size_t l) { hn::Store(v, D(), to.at + l); }
/// x y + z, rounded once.
HWY_INLINE V fma(V x, V y, V z) { return fused(D(), x, y, z); }
HWY_INLINE V clamp(V v, V lo, V hi) { return hn::Min(hn::Max(v, lo), hi); }
/// The whole number in [lo, hi] nearest to x y.
HWY_INLINE V whole(V x, V y, V lo, V hi) { return nearest_whole(D(), x, y, lo, hi); }

/// 1 / v, or 0 where that is beyond FP32.
HWY_INLINE V inverse(V v) {
  const V i = hn::Div(set(1), v);
  return hn::IfThenElseZero(hn::Le(hn::Abs(i), set(3.0e38f)), i);
}
/// a / b, or 0 where b isn't positive.
HWY_INLINE V ratio(V a, V b) { return hn::IfThenElseZero(hn::Gt(b, zero()), hn::Div(a, b)); }

/// f(first unit) for every vector of a tile.
template <class F>
HWY_INLINE void for_vectors(const F& f) {
  for (std::size_t l = 0; l < kTileUnits; l += kVectorUnits) f(l);
}

/// table[index] of 16 entries.
template <class VI>
HWY_INLINE V entry(const float* table, VI index) {
  const D d;
  if constexpr (kVectorUnits == 16) {
    return hn::TableLookupLanes(hn::LoadU(d, table), hn::IndicesFromVec(d, index));
  } else if constexpr (kVectorUnits == 8) {
    const hn::RebindToSigned<D> di;
    const auto in_half = hn::IndicesFromVec(d, hn::And(index, hn::Set(di, 7)));
    return hn::IfThenElse(hn::RebindMask(d, hn::Gt(index, hn::Set(di, 7))),
                          hn::TableLookupLanes(hn::LoadU(d, table + 8), in_half),
                          hn::TableLookupLanes(hn::LoadU(d, table), in_half));
  } else {
    return hn::GatherIndex(d, table, index);
  }
}

/// The code whose level is nearest, by halving.
HWY_INLINE auto table_code(V y) {
  const hn::RebindToSigned<D> di;
  const auto above = [&](V middle, int codes) {
    return hn::IfThenElseZero(hn::RebindMask(di, hn::Gt(y, middle)), hn::Set(di, codes));
  };
  auto code = above(set(kIq4Middles[7]), 8);
  code = hn::Add(code, above(entry(kIq4Middles, hn::Add(code, hn::Set(di, 3))), 4));
  code = hn::Add(code, above(entry(kIq4Middles, hn::Add(code, hn::Set(di, 1))), 2));
  return hn::Add(code, above(entry(kIq4Middles, code), 1));
}

/// What the search needs of a layout at compile time, and its levels.
template <int unit, int units, bool with_min, bool with_table>
struct Form {
  static constexpr std::size_t kUnit = unit;
  static constexpr std::size_t kUnits = units;
  static constexpr bool kMin = with_min;
  static constexpr bool kTable = with_table;

  const SuperLayout& layout;
  V lowest, highest;  ///< levels
  PerUnit scale_shares, min_shares;

  explicit Form(const SuperLayout& l)
      : layout(l),
        lowest(set(with_table ? kIq4Levels.front() : static_cast<float>(l.lowest))),
        highest(set(with_table ? kIq4Levels.back() : static_cast<float>(l.highest()))),
        scale_shares(divisor_shares(l.scale_lo, l.scale_hi)),
        min_shares(divisor_shares(0, l.min_hi)) {}

  /// The one nearest to x y.
  HWY_INLINE V level(V x, V y) const {
    if constexpr (kTable) {
      return entry(kIq4Levels.data(), table_code(hn::Mul(x, y)));
    } else {
      return whole(x, y, lowest, highest);
    }
  }
};

/// run(Form) for a layout.
template <class Do>
void with_form(const SuperLayout& layout, const Do& run) {
  if (layout.has_table()) {
    if (layout.units == 1) {
      run(Form<32, 1, false, true>(layout));
    } else {
      run(Form<32, 8, false, true>(layout));
    }
  } else if (!layout.has_min()) {
    run(Form<16, 16, false, false>(layout));
  } else if (layout.unit == 16) {
    run(Form<16, 16, true, false>(layout));
  } else {
    run(Form<32, 8, true, false>(layout));
  }
}

/// to[j].at[u] <- from[u * kUnit + j] for four units and all their weights.
template <std::size_t kUnit>
HWY_INLINE void four_units_across(const float* from, PerUnit* to, std::size_t u) {
  const hn::Full128<float> d;
  for (std::size_t j = 0; j < kUnit; j += 4) {
    const auto a = hn::LoadU(d, from + (u + 0) * kUnit + j);
    const auto b = hn::LoadU(d, from + (u + 1) * kUnit + j);
    const auto c = hn::LoadU(d, from + (u + 2) * kUnit + j);
    const auto e = hn::LoadU(d, from + (u + 3) * kUnit + j);
    const auto ab = hn::InterleaveLower(d, a, b);
    const auto ce = hn::InterleaveLower(d, c, e);
    const auto ab_upper = hn::InterleaveUpper(d, a, b);
    const auto ce_upper = hn::InterleaveUpper(d, c, e);
    hn::Store(hn::ConcatLowerLower(d, ce, ab), d, to[j].at + u);
    hn::Store(hn::ConcatUpperUpper(d, ce, ab), d, to[j + 1].at + u);
    hn::Store(hn::ConcatLowerLower(d, ce_upper, ab_upper), d, to[j + 2].at + u);
    hn::Store(hn::ConcatUpperUpper(d, ce_upper, ab_upper), d, to[j + 3].at + u);
  }
}

/// w: up to sixteen units, one after another; the other lanes become 0.
template <class F>
void load_weights(const F&, Floats w, const Importance& importance, Tile& t) {
  t.importance = &importance;
  const std::size_t count = w.size() / F::kUnit;
  // Whole rows of zeros: of a loop over the last lanes alone GCC 12 makes aligned stores that
  // aren't.
  if (count < kTileUnits) {
    for_vectors([&](std::size_t l) {
      for (std::size_t j = 0; j < F::kUnit; ++j) store(zero(), t.x[j], l);
    });
  }
  std::size_t u = 0;
  for (; u + 4 <= count; u += 4) four_units_across<F::kUnit>(w.data(), t.x, u);
  for (; u < count; ++u) {
    for (std::size_t j = 0; j < F::kUnit; ++j) t.x[j].at[u] = w[u * F::kUnit + j];
  }
}

/// h as w, or empty. Scaled by a power of two for each block, so that squares stay in range and a
/// unit alone is fitted as it is inside its block; none stays 0.
template <class F>
void load_importance(const F&, Floats h, Importance& t) {
  for_vectors([&](std::size_t l) { store(set(static_cast<float>(F::kUnit)), t.n, l); });
  if (h.empty()) return;
  const std::size_t count = h.size() / F::kUnit;
  float power = 1;
  for (std::size_t u = 0; u < kTileUnits; ++u) {
    const Floats unit = u < count ? h.subspan(u * F::kUnit, F::kUnit) : Floats();
    if (u % F::kUnits == 0 && u < count) {
      power =
          power_of_importance(h.subspan(u * F::kUnit, std::min(F::kUnits, count - u) * F::kUnit));
    }
    const float most = unit.empty() ? 0 : *std::max_element(unit.begin(), unit.end()) * power;
    const float least = (most > 0 ? most : 1) * kLeastImportance;
    for (std::size_t j = 0; j < F::kUnit; ++j)
      t.h[j].at[u] = most > 0 ? unit[j] * power + least : least;
  }
  for_vectors([&](std::size_t l) {
    V n = zero();
    for (std::size_t j = 0; j < F::kUnit; ++j) n = hn::Add(n, load(t.h[j], l));
    store(n, t.n, l);
  });
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
