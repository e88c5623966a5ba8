// How the parameters of a super-block are found, and the loops over rows.
//
// For the least squared error of a block, weighted by importance:
//
//   1. every unit alone (super_blocks_fit-inl.h), scale and min not yet rounded;
//   2. d, from the parabolas of the codes found: of sixteen divisors the one whose multiples come
//      nearest to the units' scales, refitted by least squares, rounded to FP16; then dmin in the
//      same way, for the mins that go best with the scales as they will be stored;
//   3. kept where the block's error, as it will be decoded, is less than that of the range;
//   4. each unit's inner scale and min with d and dmin as stored (open_unit): the whole numbers
//      nearest to the lowest point of the parabola, again around the codes these give, then
//      neighbours of the scale, each with the min that suits it. A step is taken only where the
//      error falls. Where error feedback changed the weights since, it starts from a scale changed
//      in proportion.
//
// Exact: codes, always the nearest; every least-squares scale and min for given codes; errors
// compared in 3 and 4. A search: which ranges are tried in 1 (an error as a function of scale has
// many valleys), the sixteen divisors, the neighbours. IQ4_NL has one unit: its d is that unit's
// scale, rounded. Importance is used as it is given; beyond 2^-20 of a unit's largest it is not
// told apart from 0.
#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <vector>

#include "grid/super_blocks.h"
#include "kernel/range.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/super_blocks_search.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "grid/super_blocks_fit-inl.h"
#include "kernel/half-inl.h"

#ifndef ZP_GRID_SUPER_BLOCKS_SEARCH_ONCE
#define ZP_GRID_SUPER_BLOCKS_SEARCH_ONCE
namespace zp {
namespace {

/// Stored parameters of a tile; d and dmin stand with each unit of a block.
struct Stored {
  PerUnit d, dmin, scale, min;
};

/// A step is taken where the error falls by more than its sum was rounded.
constexpr float kLess = 0.99999f;

/// What a unit's levels must cover.
float reach(const SuperLayout& layout, Floats w) noexcept {
  const Range range = min_max(w);
  return layout.has_min() ? range.hi - std::min(range.lo, 0.0f) : std::max(range.hi, -range.lo);
}

/// The scale and min to start from, in proportion to what became of the unit's weights.
void move_unit(const SuperLayout& layout, SuperParams& p, std::size_t u, Floats w) noexcept {
  const float now = reach(layout, w);
  if (now == p.reach[u] || !(p.reach[u] > 0)) return;
  const float change = now / p.reach[u];
  const auto moved = [&](float number, int lo, int hi) {
    return std::nearbyint(
        std::clamp(number * change, static_cast<float>(lo), static_cast<float>(hi)));
  };
  p.scale[u] = moved(p.scale[u], layout.scale_lo, layout.scale_hi);
  p.min[u] = moved(p.min[u], 0, layout.min_hi);
  p.reach[u] = now;
}

}  // namespace
}  // namespace zp
#endif  // ZP_GRID_SUPER_BLOCKS_SEARCH_ONCE

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {

/// The nearest FP16 number, the largest where v is beyond it; never -0.
HWY_INLINE V nearest_half(V v) {
  const V most = set(65504.0f);
  return hn::Add(nearest_fp16(D(), clamp(v, hn::Neg(most), most)), zero());
}

/// A block's numbers made one: halves with each other, four times at most.
template <std::size_t kUnits, class Op>
HWY_INLINE float folded(const float* v, const Op& op) {
  if constexpr (kUnits == 1) {
    return *v;
  } else {
    static_assert(kUnits == 8 || kUnits == 16);
    const hn::Full128<float> d;
    auto four = op(hn::Load(d, v), hn::Load(d, v + kUnits / 2));
    if constexpr (kUnits == 16) four = op(four, op(hn::Load(d, v + 4), hn::Load(d, v + 12)));
    four = op(four, hn::Shuffle1032(four));
    return hn::GetLane(op(four, hn::Shuffle2301(four)));
  }
}

template <std::size_t kUnits>
HWY_INLINE float block_sum(const float* v) {
  return folded<kUnits>(v, [](auto a, auto b) { return hn::Add(a, b); });
}

template <std::size_t kUnits>
HWY_INLINE float block_least(const float* v) {
  return folded<kUnits>(v, [](auto a, auto b) { return hn::Min(a, b); });
}

/// The number of largest magnitude; the positive one of two.
template <std::size_t kUnits>
HWY_INLINE float block_extreme(const float* v) {
  const float lo = block_least<kUnits>(v);
  const float hi = folded<kUnits>(v, [](auto a, auto b) { return hn::Max(a, b); });
  return (hi >= -lo ? hi : lo) + 0.0f;  // which of two zeros differs between machines
}

// --- d and dmin ----------------------------------------------------------------------------------

/// Whole numbers and what they are multiplied by.
struct Divided {
  PerUnit divisor;  ///< one for each block, FP16
  PerUnit number;
};

/// Of sixteen divisors the one with the least sum of weight (want - divisor number)^2 over a block.
template <class F>
HWY_INLINE float best_divisor(const float* want, const float* weight, V lo, V hi,
                              const PerUnit& shares) {
  const V largest = set(block_extreme<F::kUnits>(want));
  PerUnit cost, divisor;
  for_vectors([&](std::size_t l) {
    const V value = hn::Mul(largest, load(shares, l));
    const V inv = inverse(value);
    const V minus = hn::Neg(value);
    V sum = zero();
    for (std::size_t u = 0; u < F::kUnits; ++u) {
      const V target = set(want[u]);
      const V e = fma(whole(target, inv, lo, hi), minus, target);
      sum = fma(hn::Mul(set(weight[u]), e), e, sum);
    }
    store(sum, cost, l);
    store(value, divisor, l);
  });
  const V least = set(block_least<kTileUnits>(cost.at));
  for (std::size_t l = 0; l < kTileUnits; l += kVectorUnits) {
    const std::intptr_t first = hn::FindFirstTrue(D(), hn::Eq(load(cost, l), least));
    if (first >= 0) return divisor.at[l + static_cast<std::size_t>(first)];
  }
  return divisor.at[0];
}

/// Divisors of all blocks of a tile, refitted by least squares.
template <class F>
void divide(const F&, const PerUnit& want, const PerUnit& weight, float lo, float hi,
            const PerUnit& shares, Divided& out) {
  for (std::size_t first = 0; first < kTileUnits; first += F::kUnits) {
    const float d = F::kUnits == 1 ? want.at[first]
                                   : best_divisor<F>(want.at + first, weight.at + first, set(lo),
                                                     set(hi), shares);
    std::fill_n(out.divisor.at + first, F::kUnits, d);
  }
  PerUnit nw, nn;
  for_vectors([&](std::size_t l) {
    const V number = whole(load(want, l), inverse(load(out.divisor, l)), set(lo), set(hi));
    const V weighted = hn::Mul(load(weight, l), number);
    store(hn::Mul(weighted, load(want, l)), nw, l);
    store(hn::Mul(weighted, number), nn, l);
  });
  PerUnit num, den;
  for (std::size_t first = 0; first < kTileUnits; first += F::kUnits) {
    std::fill_n(num.at + first, F::kUnits, block_sum<F::kUnits>(nw.at + first));
    std::fill_n(den.at + first, F::kUnits, block_sum<F::kUnits>(nn.at + first));
  }
  for_vectors([&](std::size_t l) {
    const V d = nearest_half(ratio(load(num, l), load(den, l)));
    store(d, out.divisor, l);
    store(whole(load(want, l), inverse(d), set(lo), set(hi)), out.number, l);
  });
}

/// Step 2.
template <class F>
void choose_outer(const F& f, const Tile& t, const Parabolas& p, Stored& s) {
  const auto lo = static_cast<float>(f.layout.scale_lo);
  const auto hi = static_cast<float>(f.layout.scale_hi);
  PerUnit weight;
  for_vectors([&](std::size_t l) {
    // What a wrong scale costs when the min makes the best of it.
    const V v = load(p.v, l);
    const V vv = load(p.vv, l);
    store(F::kMin ? hn::Sub(vv, hn::Div(hn::Mul(v, v), load(t.n(), l))) : vv, weight, l);
  });
  Divided scales;
  divide(f, p.scale, weight, lo, hi, f.scale_shares, scales);
  s.d = scales.divisor;
  s.scale = scales.number;
  if constexpr (F::kMin) {
    const auto min_hi = static_cast<float>(f.layout.min_hi);
    PerUnit want;
    for_vectors([&](std::size_t l) {
      const V off = hn::Sub(hn::Mul(load(s.d, l), load(s.scale, l)), load(p.scale, l));
      const V min = fma(hn::Div(load(p.v, l), load(t.n(), l)), off, load(p.min, l));
      store(hn::Max(min, zero()), want, l);
    });
    Divided mins;
    divide(f, want, t.n(), 0, min_hi, f.min_shares, mins);
    s.dmin = mins.divisor;
    s.min = mins.number;
  }
}

// --- range ---------------------------------------------------------------------------------------

/// Whole numbers nearest to these scales and mins, with d and dmin as they are.
template <class F>
HWY_INLINE void nearest_inner(const F& f, const ScaleMin& want, std::size_t l, Stored& s) {
  const auto number = [&](V value, const PerUnit& divisor, int lo, int hi) {
    return whole(value, inverse(load(divisor, l)), set(static_cast<float>(lo)),
                 set(static_cast<float>(hi)));
  };
  store(number(want.scale, s.d, f.layout.scale_lo, f.layout.scale_hi), s.scale, l);
  if constexpr (F::kMin) store(number(want.min, s.dmin, 0, f.layout.min_hi), s.min, l);
}

/// d and dmin: the largest scale and min become the extreme whole numbers.
template <class F>
void range_outer(const F& f, const Parabolas& p, Stored& s) {
  const int extreme = f.layout.scale_lo < 0 ? f.layout.scale_lo : f.layout.scale_hi;
  for (std::size_t first = 0; first < kTileUnits; first += F::kUnits) {
    const auto put = [&](const PerUnit& all, int number, PerUnit& divisor) {
      const float largest = block_extreme<F::kUnits>(all.at + first);
      std::fill_n(divisor.at + first, F::kUnits, largest / static_cast<float>(number));
    };
    put(p.scale, extreme, s.d);
    if constexpr (F::kMin) put(p.min, f.layout.min_hi, s.dmin);
  }
  for_vectors([&](std::size_t l) {
    store(nearest_half(load(s.d, l)), s.d, l);
    if constexpr (F::kMin) store(nearest_half(load(s.dmin, l)), s.dmin, l);
  });
}

template <class F>
void range_blocks(const F& f, const Tile& t, Stored& s) {
  Parabolas p;
  for_vectors([&](std::size_t l) {
    const ScaleMin range = range_fit(f, extremes(f, t, l));
    store(range.scale, p.scale, l);
    store(range.min, p.min, l);
  });
  range_outer(f, p, s);
  for_vectors([&](std::size_t l) { nearest_inner(f, {load(p.scale, l), load(p.min, l)}, l, s); });
}

// --- search --------------------------------------------------------------------------------------

template <class F, bool kWeighted>
void tile_error(const F& f, const Tile& t, const Stored& s, PerUnit& error) {
  for_vectors([&](std::size_t l) {
    const V scale = hn::Mul(load(s.d, l), load(s.scale, l));
    const V min = F::kMin ? hn::Mul(load(s.dmin, l), load(s.min, l)) : zero();
    store(stored_error<F, kWeighted>(f, t, l, scale, min), error, l);
  });
}

template <class F, bool kWeighted>
void search_blocks(const F& f, const Tile& t, Stored& s) {
  Parabolas p;
  for_vectors([&](std::size_t l) {
    const Extremes range = extremes(f, t, l);
    if constexpr (F::kMin) {
      p.put(line_fit<F, kWeighted>(f, t, l, range), l);
    } else {
      p.put(scale_fit<F, kWeighted>(f, t, l, range), l);
    }
  });
  Stored found;
  choose_outer(f, t, p, found);
  range_blocks(f, t, s);
  PerUnit before, after;
  tile_error<F, kWeighted>(f, t, s, before);
  tile_error<F, kWeighted>(f, t, found, after);
  for (std::size_t first = 0; first < kTileUnits; first += F::kUnits) {
    if (!(block_sum<F::kUnits>(after.at + first) < kLess * block_sum<F::kUnits>(before.at + first)))
      continue;
    std::copy_n(found.d.at + first, F::kUnits, s.d.at + first);
    std::copy_n(found.scale.at + first, F::kUnits, s.scale.at + first);
    if constexpr (F::kMin) {
      std::copy_n(found.dmin.at + first, F::kUnits, s.dmin.at + first);
      std::copy_n(found.min.at + first, F::kUnits, s.min.at + first);
    }
  }
}

/// Step 4.
template <class F, bool kWeighted>
void search_units(const F& f, const Tile& t, Stored& s) {
  const V scale_lo = set(static_cast<float>(f.layout.scale_lo));
  const V scale_hi = set(static_cast<float>(f.layout.scale_hi));
  const V min_hi = set(static_cast<float>(f.layout.min_hi));
  for_vectors([&](std::size_t l) {
    const V d = load(s.d, l);
    const V dmin = F::kMin ? load(s.dmin, l) : zero();
    const V inv_d = inverse(d);
    const V inv_dmin = inverse(dmin);
    V scale = load(s.scale, l);
    V min = F::kMin ? load(s.min, l) : zero();
    Parabola p;
    V least = stored_error<F, kWeighted>(f, t, l, hn::Mul(d, scale), hn::Mul(dmin, min), p);
    const auto min_for = [&](V number) {
      if constexpr (!F::kMin) return zero();
      const V off = hn::Sub(hn::Mul(d, number), p.scale);
      const V want = fma(hn::Div(p.v, load(t.n(), l)), off, p.min);
      return whole(want, inv_dmin, zero(), min_hi);
    };
    const auto take = [&](V e, V number, V number_min) {
      const auto better = hn::Lt(e, hn::Mul(least, set(kLess)));
      least = hn::IfThenElse(better, e, least);
      scale = hn::IfThenElse(better, number, scale);
      min = hn::IfThenElse(better, number_min, min);
      return better;
    };
    {
      const V number = whole(p.scale, inv_d, scale_lo, scale_hi);
      const V number_min = min_for(number);
      Parabola there;
      const V e =
          stored_error<F, kWeighted>(f, t, l, hn::Mul(d, number), hn::Mul(dmin, number_min), there);
      p = either(take(e, number, number_min), there, p);
    }
    const V middle = scale;
    for (int i = 0; i < 2 * f.layout.search.neighbours; ++i) {
      const V step = set(static_cast<float>(i % 2 == 0 ? i / 2 + 1 : -(i / 2 + 1)));
      const V number = clamp(hn::Add(middle, step), scale_lo, scale_hi);
      const V number_min = min_for(number);
      take(stored_error<F, kWeighted>(f, t, l, hn::Mul(d, number), hn::Mul(dmin, number_min)),
           number, number_min);
    }
    store(scale, s.scale, l);
    if constexpr (F::kMin) store(min, s.min, l);
  });
}

template <class F>
void open_blocks(const F& f, const Tile& t, bool weighted, Fit fit, Stored& s) {
  if (fit == Fit::range) {
    range_blocks(f, t, s);
  } else if (weighted) {
    search_blocks<F, true>(f, t, s);
  } else {
    search_blocks<F, false>(f, t, s);
  }
}

template <class F>
void open_units(const F& f, const Tile& t, bool weighted, Fit fit, Stored& s) {
  if constexpr (F::kUnits == 1) return;
  if (fit == Fit::range) {
    for_vectors([&](std::size_t l) { nearest_inner(f, range_fit(f, extremes(f, t, l)), l, s); });
  } else if (weighted) {
    search_units<F, true>(f, t, s);
  } else {
    search_units<F, false>(f, t, s);
  }
}

// --- rows ----------------------------------------------------------------------------------------

/// Whole numbers have no -0 in the file.
SuperParams params_of(const Stored& s, std::size_t first, std::size_t units, bool with_min) {
  SuperParams p{};
  p.d = s.d.at[first];
  if (with_min) p.dmin = s.dmin.at[first];
  for (std::size_t u = 0; u < units; ++u) {
    p.scale[u] = s.scale.at[first + u] + 0.0f;
    if (with_min) p.min[u] = s.min.at[first + u] + 0.0f;
  }
  return p;
}

template <class F>
HWY_INLINE void code_unit(const F& f, const UnitScale& s, const float* w, std::uint8_t* codes) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<std::uint8_t, D> db;
  for (std::size_t j = 0; j < F::kUnit; j += kVectorUnits) {
    const V x = hn::Add(hn::LoadU(d, w + j), set(s.min));
    const V inv = set(s.inverse);
    if constexpr (F::kTable) {
      hn::StoreU(hn::DemoteTo(db, table_code(hn::Mul(x, inv))), db, codes + j);
    } else {
      const V code = hn::Sub(f.level(x, inv), f.lowest);
      hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(di, code)), db, codes + j);
    }
  }
}

/// The blocks of a tile. w: their weights.
template <class F>
void write_blocks(const F& f, const Stored& s, Floats w, std::byte* out) {
  constexpr std::size_t kWeights = F::kUnits * F::kUnit;
  for (std::size_t b = 0; b < w.size(); b += kWeights, out += f.layout.bytes) {
    const SuperParams p = params_of(s, b / F::kUnit, F::kUnits, F::kMin);
    std::uint8_t codes[kWeights];
    for (std::size_t u = 0; u < F::kUnits; ++u) {
      code_unit(f, UnitScale(p, u), w.data() + b + u * F::kUnit, codes + u * F::kUnit);
    }
    super_pack(f.layout, p, codes, out);
  }
}

void quantize_rows(const SuperLayout& layout, Matrix w, Floats h, Fit fit, std::byte* out) {
  with_form(layout, [&](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    constexpr std::size_t kColumns = kTileUnits * F::kUnit;
    const auto cols = static_cast<std::size_t>(w.cols);
    // Laid out once for all rows; without importance one will do for every tile.
    std::vector<Importance> importance(h.empty() ? 1 : (cols + kColumns - 1) / kColumns);
    for (std::size_t i = 0; i < importance.size(); ++i) {
      const std::size_t begin = i * kColumns;
      load_importance(f, h.empty() ? h : h.subspan(begin, std::min(kColumns, cols - begin)),
                      importance[i]);
    }
    Tile t;
    Stored s;
    for (std::int64_t r = 0; r < w.rows; ++r) {
      for (std::size_t begin = 0; begin < cols; begin += kColumns) {
        const Floats part = w.row(r).subspan(begin, std::min(kColumns, cols - begin));
        t.importance = &importance[h.empty() ? 0 : begin / kColumns];
        load_weights(f, part, t);
        open_blocks(f, t, !h.empty(), fit, s);
        open_units(f, t, !h.empty(), fit, s);
        write_blocks(f, s, part, out);
        out += static_cast<std::ptrdiff_t>(part.size()) / layout.weights() * layout.bytes;
      }
    }
  });
}

/// Rows of w one after another.
void gather_rows(Matrix w, float* to) {
  for (std::int64_t r = 0; r < w.rows; ++r, to += w.cols) std::ranges::copy(w.row(r), to);
}

/// Blocks of as many rows as fill a tile.
void open_rows(const SuperLayout& layout, Matrix w, Floats h, Fit fit, SuperParams* p) {
  with_form(layout, [&](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    constexpr std::size_t kBlocks = kTileUnits / F::kUnits;
    std::array<float, kTileUnits * F::kUnit> part;
    Importance importance;
    for (std::size_t b = 0; b < kBlocks; ++b)
      std::ranges::copy(h, part.begin() + static_cast<std::ptrdiff_t>(b * h.size()));
    load_importance(f, Floats(part).first(kBlocks * h.size()), importance);
    Tile t;
    t.importance = &importance;
    Stored s;
    constexpr auto kStep = static_cast<std::int64_t>(kBlocks);
    for (std::int64_t r = 0; r < w.rows; r += kStep) {
      const auto rows = static_cast<std::size_t>(std::min(kStep, w.rows - r));
      gather_rows(w.rows_from(r, static_cast<std::int64_t>(rows)), part.data());
      load_weights(f, Floats(part).first(rows * static_cast<std::size_t>(w.cols)), t);
      open_blocks(f, t, !h.empty(), fit, s);
      for (std::size_t b = 0; b < rows; ++b, ++p)
        *p = params_of(s, b * F::kUnits, F::kUnits, F::kMin);
    }
  });
}

/// One unit of sixteen rows at a time.
void open_unit_of_rows(const SuperLayout& layout, Matrix w, Floats h, Fit fit, std::size_t u,
                       SuperParams* p) {
  with_form(layout, [&](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    Importance importance;
    load_importance(f, h, importance);
    for_vectors([&](std::size_t l) {
      for (std::size_t j = 0; j < F::kUnit; ++j)
        store(set(importance.h[j].at[0]), importance.h[j], l);
      store(set(importance.n.at[0]), importance.n, l);
    });
    Tile t;
    t.importance = &importance;
    std::array<float, kTileUnits * F::kUnit> part;
    constexpr auto kStep = static_cast<std::int64_t>(kTileUnits);
    for (std::int64_t r = 0; r < w.rows; r += kStep, p += kStep) {
      const auto rows = static_cast<std::size_t>(std::min(kStep, w.rows - r));
      gather_rows(w.rows_from(r, static_cast<std::int64_t>(rows)), part.data());
      load_weights(f, Floats(part).first(rows * F::kUnit), t);
      Stored s{};
      for (std::size_t i = 0; i < rows; ++i) {
        s.d.at[i] = p[i].d;
        s.dmin.at[i] = p[i].dmin;
        s.scale.at[i] = p[i].scale[u];
        s.min.at[i] = p[i].min[u];
      }
      open_units(f, t, !h.empty(), fit, s);
      for (std::size_t i = 0; i < rows; ++i) {
        p[i].scale[u] = s.scale.at[i] + 0.0f;
        if (F::kMin) p[i].min[u] = s.min.at[i] + 0.0f;
      }
    }
  });
}

/// One weight of sixteen rows at a time.
void encode_column(const SuperLayout& layout, const SuperParams* p, std::size_t u, Floats w,
                   Code* codes, float* decoded) {
  with_form(layout, [&](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    const hn::RebindToSigned<D> di;
    for (std::size_t r = 0; r < w.size(); r += kTileUnits) {
      const std::size_t rows = std::min(kTileUnits, w.size() - r);
      PerUnit scale{}, min{}, inverse{}, x{}, value;
      for (std::size_t i = 0; i < rows; ++i) {
        const UnitScale s(p[r + i], u);
        scale.at[i] = s.scale;
        min.at[i] = s.min;
        inverse.at[i] = s.inverse;
        x.at[i] = w[r + i];
      }
      alignas(64) std::array<Code, kTileUnits> code;
      for_vectors([&](std::size_t l) {
        const V above = hn::Add(load(x, l), load(min, l));
        const V inv = load(inverse, l);
        if constexpr (F::kTable) {
          const auto index = table_code(hn::Mul(above, inv));
          hn::Store(index, di, code.data() + l);
          store(hn::Sub(hn::Mul(load(scale, l), entry(kIq4Levels.data(), index)), load(min, l)),
                value, l);
        } else {
          const V level = hn::Add(f.level(above, inv), zero());
          hn::Store(hn::ConvertTo(di, hn::Sub(level, f.lowest)), di, code.data() + l);
          store(hn::Sub(hn::Mul(load(scale, l), level), load(min, l)), value, l);
        }
      });
      std::copy_n(code.begin(), rows, codes + r);
      std::copy_n(value.at, rows, decoded + r);
    }
  });
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(quantize_rows);
HWY_EXPORT(open_rows);
HWY_EXPORT(open_unit_of_rows);
HWY_EXPORT(encode_column);

void super_open_blocks(const SuperLayout& layout, Matrix w, Floats h, Fit fit,
                       SuperParams* p) noexcept {
  HWY_DYNAMIC_DISPATCH(open_rows)(layout, w, h, fit, p);
  for (std::int64_t r = 0; r < w.rows; ++r) {
    for (std::int64_t u = 0; u < w.cols / layout.unit; ++u)
      p[r].reach[static_cast<std::size_t>(u)] =
          reach(layout, w.columns(u * layout.unit, layout.unit).row(r));
  }
}

void super_open_units(const SuperLayout& layout, SuperParams* p, std::size_t u, Matrix w, Floats h,
                      Fit fit) noexcept {
  for (std::int64_t r = 0; r < w.rows; ++r) move_unit(layout, p[r], u, w.row(r));
  HWY_DYNAMIC_DISPATCH(open_unit_of_rows)(layout, w, h, fit, u, p);
}

void super_encode_column(const SuperLayout& layout, const SuperParams* p, std::size_t u, Floats w,
                         Code* codes, float* decoded) noexcept {
  HWY_DYNAMIC_DISPATCH(encode_column)(layout, p, u, w, codes, decoded);
}

void super_quantize(const SuperLayout& layout, Matrix w, Floats h, Fit fit, std::byte* out) {
  HWY_DYNAMIC_DISPATCH(quantize_rows)(layout, w, h, fit, out);
}

}  // namespace zp
#endif
