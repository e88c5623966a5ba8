// How the parameters of a super-block are found: d, dmin, and each unit's scale and min.
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
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <algorithm>
#include <span>

#include "grid/super_blocks_fit-inl.h"
#include "kernel/half-inl.h"

#ifndef ZP_GRID_SUPER_BLOCKS_SEARCH_ONCE
#define ZP_GRID_SUPER_BLOCKS_SEARCH_ONCE
namespace zp {

/// Stored parameters of a tile; d and dmin stand with each unit of a block.
struct Stored {
  PerUnit d, dmin, scale, min;
};

/// A step is taken where the error falls by more than its sum was rounded.
inline constexpr float kLess = 0.99999f;

}  // namespace zp
#endif

#if defined(ZP_GRID_SUPER_BLOCKS_SEARCH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_GRID_SUPER_BLOCKS_SEARCH_INL_H_
#undef ZP_GRID_SUPER_BLOCKS_SEARCH_INL_H_
#else
#define ZP_GRID_SUPER_BLOCKS_SEARCH_INL_H_
#endif

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

/// Squared error of each unit as it will be decoded, and the parabolas of its codes.
struct Standing {
  PerUnit error;
  Parabolas at;  ///< only where blocks have several units
};

/// A tile, and what is found for it.
struct Work {
  Tile tile;
  Stored stored;
  Parabolas alone;    ///< of units, without regard to how scales are stored
  Standing standing;  ///< of `stored`
  Stored range;       ///< what `stored` is compared with
};

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
void choose_outer(const F& f, Work& work) {
  const Tile& t = work.tile;
  const Parabolas& p = work.alone;
  Stored& s = work.stored;
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

/// Scales and mins as stored.
template <class F>
HWY_INLINE ScaleMin as_decoded(const Stored& s, std::size_t l) {
  return {hn::Mul(load(s.d, l), load(s.scale, l)),
          F::kMin ? hn::Mul(load(s.dmin, l), load(s.min, l)) : zero()};
}

template <class F, bool kWeighted>
void stand(const F& f, Work& w) {
  for_vectors([&](std::size_t l) {
    const auto [scale, min] = as_decoded<F>(w.stored, l);
    if constexpr (F::kUnits == 1) {
      store(stored_error<F, kWeighted>(f, w.tile, l, scale, min), w.standing.error, l);
    } else {
      Parabola p;
      store(stored_error<F, kWeighted>(f, w.tile, l, scale, min, p), w.standing.error, l);
      w.standing.at.put(p, l);
    }
  });
}

/// Step 1.
template <class F, bool kWeighted>
void fit_units(const F& f, Work& w) {
  for_vectors([&](std::size_t l) {
    const Extremes range = extremes(f, w.tile, l);
    if constexpr (F::kMin) {
      w.alone.put(line_fit<F, kWeighted>(f, w.tile, l, range), l);
    } else {
      w.alone.put(scale_fit<F, kWeighted>(f, w.tile, l, range), l);
    }
  });
}

/// Step 3.
template <class F, bool kWeighted>
void compare_with_range(const F& f, Work& w) {
  const Stored& range = w.range;
  PerUnit error;
  for_vectors([&](std::size_t l) {
    const auto [scale, min] = as_decoded<F>(range, l);
    store(stored_error<F, kWeighted>(f, w.tile, l, scale, min), error, l);
  });
  bool changed = false;
  for (std::size_t first = 0; first < kTileUnits; first += F::kUnits) {
    if (block_sum<F::kUnits>(w.standing.error.at + first) <
        kLess * block_sum<F::kUnits>(error.at + first))
      continue;
    changed = true;
    std::copy_n(range.d.at + first, F::kUnits, w.stored.d.at + first);
    std::copy_n(range.scale.at + first, F::kUnits, w.stored.scale.at + first);
    if constexpr (F::kMin) {
      std::copy_n(range.dmin.at + first, F::kUnits, w.stored.dmin.at + first);
      std::copy_n(range.min.at + first, F::kUnits, w.stored.min.at + first);
    }
  }
  if (changed) stand<F, kWeighted>(f, w);
}

template <class F, bool kWeighted>
void search_blocks(const F& f, std::span<Work> works) {
  for (Work& w : works) fit_units<F, kWeighted>(f, w);
  for (Work& w : works) choose_outer(f, w);
  for (Work& w : works) stand<F, kWeighted>(f, w);
  for (Work& w : works) range_blocks(f, w.tile, w.range);
  for (Work& w : works) compare_with_range<F, kWeighted>(f, w);
}

/// Step 4.
template <class F, bool kWeighted>
void search_units(const F& f, Work& work) {
  const Tile& t = work.tile;
  Stored& s = work.stored;
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
    Parabola p = work.standing.at.get(l);
    V least = load(work.standing.error, l);
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
void open_blocks(const F& f, bool weighted, Fit fit, std::span<Work> works) {
  if (fit == Fit::range) {
    for (Work& w : works) range_blocks(f, w.tile, w.stored);
  } else if (weighted) {
    search_blocks<F, true>(f, works);
  } else {
    search_blocks<F, false>(f, works);
  }
}

/// Of blocks just opened, nothing in between.
template <class F>
void open_all_units(const F& f, bool weighted, Fit fit, std::span<Work> works) {
  if (F::kUnits == 1 || fit == Fit::range) return;  // as they are
  for (Work& w : works) weighted ? search_units<F, true>(f, w) : search_units<F, false>(f, w);
}

/// Of weights that have changed since.
template <class F>
void open_units(const F& f, bool weighted, Fit fit, std::span<Work> works) {
  if constexpr (F::kUnits == 1) return;
  if (fit == Fit::range) {
    for (Work& w : works) {
      for_vectors([&](std::size_t l) {
        nearest_inner(f, range_fit(f, extremes(f, w.tile, l)), l, w.stored);
      });
    }
    return;
  }
  for (Work& w : works) weighted ? stand<F, true>(f, w) : stand<F, false>(f, w);
  open_all_units(f, weighted, fit, works);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
