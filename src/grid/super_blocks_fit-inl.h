// Fits of one unit of a super-block, sixteen units at a time: from its extremes, and for the least
// squared error without regard to how scales are stored.
//
// For given levels v the error of x ~ scale v - min is a parabola in scale and min, known from sums
// over the unit: its lowest point (least squares) and its curvature are what the choice of d and
// dmin works with.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include "grid/super_blocks_tile-inl.h"

#if defined(ZP_GRID_SUPER_BLOCKS_FIT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_GRID_SUPER_BLOCKS_FIT_INL_H_
#undef ZP_GRID_SUPER_BLOCKS_FIT_INL_H_
#else
#define ZP_GRID_SUPER_BLOCKS_FIT_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {

/// Lowest point, and sums h v^2 and h v.
struct Parabola {
  V scale, min, vv, v;
};

/// Of two, lane by lane.
HWY_INLINE Parabola either(hn::Mask<D> first, const Parabola& a, const Parabola& b) {
  return {hn::IfThenElse(first, a.scale, b.scale), hn::IfThenElse(first, a.min, b.min),
          hn::IfThenElse(first, a.vv, b.vv), hn::IfThenElse(first, a.v, b.v)};
}

/// A whole tile's.
struct Parabolas {
  PerUnit scale, min, vv, v;

  HWY_INLINE void put(const Parabola& p, std::size_t l) {
    store(p.scale, scale, l);
    store(p.min, min, l);
    store(p.vv, vv, l);
    store(p.v, v, l);
  }
  HWY_INLINE Parabola get(std::size_t l) const {
    return {load(scale, l), load(min, l), load(vv, l), load(v, l)};
  }
};

struct Extremes {
  V lo, hi;
};

template <class F>
HWY_INLINE Extremes extremes(const F&, const Tile& t, std::size_t l) {
  V lo = load(t.x[0], l);
  V hi = lo;
  for (std::size_t j = 1; j < F::kUnit; ++j) {
    const V x = load(t.x[j], l);
    lo = hn::Min(lo, x);
    hi = hn::Max(hi, x);
  }
  return {lo, hi};
}

struct ScaleMin {
  V scale, min;
};

/// The range: codes from the smallest weight (or 0) to the largest; without mins the weight of
/// largest magnitude gets the lowest level.
template <class F>
HWY_INLINE ScaleMin range_fit(const F& f, const Extremes& range) {
  if constexpr (F::kMin) {
    const V low = hn::Min(range.lo, zero());
    return {hn::Div(hn::Sub(range.hi, low), f.highest), hn::Neg(low)};
  } else {
    const V largest = hn::IfThenElse(hn::Gt(range.hi, hn::Neg(range.lo)), range.hi, range.lo);
    return {hn::Div(largest, f.lowest), zero()};
  }
}

/// The least-squares scale and min from sums of h, h v, h v^2, h y and h y v.
HWY_INLINE Parabola line_through(V n, V v, V vv, V y, V yv) {
  const V det = hn::Sub(hn::Mul(n, vv), hn::Mul(v, v));
  // One level only, up to rounding: no scale follows.
  const auto sound = hn::Gt(det, hn::Mul(set(1e-6f), hn::Mul(n, vv)));
  const V scale = hn::IfThenElseZero(sound, hn::Div(hn::Sub(hn::Mul(n, yv), hn::Mul(v, y)), det));
  return {scale, hn::Div(hn::Sub(hn::Mul(scale, v), y), n), vv, v};
}

/// x ~ scale v - min with min >= 0: the best of some ranges, each with its least-squares line, then
/// nearest codes and least squares by turns.
template <class F, bool kWeighted>
HWY_INLINE Parabola line_fit(const F& f, const Tile& t, std::size_t l, const Extremes& range) {
  const V n = load(t.n(), l);
  const V lo = hn::Min(range.lo, zero());
  V y[F::kUnit];  // from the low end: small sums, little rounding
  V sy = zero(), syy = zero();
  for (std::size_t j = 0; j < F::kUnit; ++j) {
    y[j] = hn::Sub(load(t.x[j], l), lo);
    const V hy = kWeighted ? hn::Mul(load(t.h(j), l), y[j]) : y[j];
    sy = hn::Add(sy, hy);
    syy = fma(hy, y[j], syy);
  }
  V least = set(3.0e38f);
  V scale = zero(), min = zero();  // of y
  Parabola best{zero(), zero(), zero(), zero()};
  const auto consider = [&](V inv, V phase) {
    V sv = zero(), vv = zero(), yv = zero();
    for (std::size_t j = 0; j < F::kUnit; ++j) {
      const V v =
          whole_within(D(), hn::Add(fma(y[j], inv, phase), set(kWholeShift)), f.lowest, f.highest);
      const V hv = kWeighted ? hn::Mul(load(t.h(j), l), v) : v;
      sv = hn::Add(sv, hv);
      vv = fma(hv, v, vv);
      yv = fma(hv, y[j], yv);
    }
    const Parabola p = line_through(n, sv, vv, sy, yv);
    // x's min is at least 0, so y's is at least lo; held there, the best scale is another one.
    const auto held = hn::Lt(p.min, lo);
    const V s = hn::IfThenElse(held, ratio(fma(lo, sv, yv), vv), p.scale);
    const V m = hn::Max(p.min, lo);
    // syy - 2 s yv + 2 m sy + s^2 vv - 2 s m sv + m^2 n
    const V in_s = hn::Mul(s, fma(s, vv, hn::Neg(hn::Add(yv, yv))));
    const V in_m = hn::Mul(m, fma(m, n, hn::Add(sy, sy)));
    const V e = fma(hn::Mul(set(-2), hn::Mul(s, m)), sv, hn::Add(hn::Add(in_s, in_m), syy));
    const auto better = hn::Lt(e, least);
    least = hn::IfThenElse(better, e, least);
    scale = hn::IfThenElse(better, s, scale);
    min = hn::IfThenElse(better, m, min);
    best = either(better, p, best);
  };
  const SuperSearch& search = f.layout.search;
  const V inv_range = inverse(hn::Sub(range.hi, lo));
  const auto clip = [&](int number) {
    return set(search.first + search.step * static_cast<float>(number));
  };
  for (int c = 0; c < search.starts * search.starts; ++c) {
    const V low = clip(c / search.starts);
    const V high = clip(c % search.starts);
    consider(hn::Mul(inv_range, hn::Add(f.highest, hn::Add(low, high))), hn::Neg(low));
  }
  for (int r = 0; r < search.rounds; ++r) {
    const V inv = inverse(scale);
    consider(inv, hn::Mul(min, inv));
  }
  best.min = hn::Sub(best.min, lo);
  return best;
}

/// x ~ scale v: the best of some ranges, each with its least-squares scale, then by turns as above.
template <class F, bool kWeighted>
HWY_INLINE Parabola scale_fit(const F& f, const Tile& t, std::size_t l, const Extremes& range) {
  V most = zero();  // sum h x^2 less the error
  Parabola best{zero(), zero(), zero(), zero()};
  const auto consider = [&](V inv) {
    V vv = zero(), xv = zero();
    for (std::size_t j = 0; j < F::kUnit; ++j) {
      const V x = load(t.x[j], l);
      const V v = f.level(x, inv);
      const V hv = kWeighted ? hn::Mul(load(t.h(j), l), v) : v;
      vv = fma(hv, v, vv);
      xv = fma(hv, x, xv);
    }
    const V scale = ratio(xv, vv);
    const V gain = hn::Mul(scale, xv);
    const auto better = hn::Gt(gain, most);
    most = hn::IfThenElse(better, gain, most);
    best = either(better, {scale, zero(), vv, zero()}, best);
  };
  const SuperSearch& search = f.layout.search;
  const V inv_largest = inverse(hn::Max(range.hi, hn::Neg(range.lo)));
  for (int c = 0; c < search.starts; ++c) {
    const int magnitude = search.both_signs ? c / 2 : c;
    const V ends = set(search.first - search.step * static_cast<float>(magnitude));
    const V level = hn::Mul(ends, c % 2 == 0 ? f.lowest : hn::Neg(f.lowest));
    consider(hn::Mul(inv_largest, level));
  }
  for (int r = 0; r < search.rounds; ++r) consider(inverse(best.scale));
  return best;
}

/// Squared error of a unit as it is stored.
template <class F, bool kWeighted>
HWY_INLINE V stored_error(const F& f, const Tile& t, std::size_t l, V scale, V min) {
  const V inv = inverse(scale);
  V e = zero();
  for (std::size_t j = 0; j < F::kUnit; ++j) {
    const V x = load(t.x[j], l);
    const V product = hn::Mul(f.level(F::kMin ? hn::Add(x, min) : x, inv), scale);
    const V r = hn::Sub(x, F::kMin ? hn::Sub(product, min) : product);
    e = fma(kWeighted ? hn::Mul(load(t.h(j), l), r) : r, r, e);
  }
  return e;
}

/// The same, and the parabola of its codes.
template <class F, bool kWeighted>
HWY_INLINE V stored_error(const F& f, const Tile& t, std::size_t l, V scale, V min, Parabola& p) {
  const V inv = inverse(scale);
  V e = zero(), rv = zero(), sr = zero(), vv = zero(), sv = zero();
  for (std::size_t j = 0; j < F::kUnit; ++j) {
    const V x = load(t.x[j], l);
    const V v = f.level(F::kMin ? hn::Add(x, min) : x, inv);
    const V product = hn::Mul(v, scale);
    const V r = hn::Sub(x, F::kMin ? hn::Sub(product, min) : product);
    const V hr = kWeighted ? hn::Mul(load(t.h(j), l), r) : r;
    const V hv = kWeighted ? hn::Mul(load(t.h(j), l), v) : v;
    e = fma(hr, r, e);
    rv = fma(hr, v, rv);
    vv = fma(hv, v, vv);
    if constexpr (F::kMin) {
      sr = hn::Add(sr, hr);
      sv = hn::Add(sv, hv);
    }
  }
  if constexpr (F::kMin) {
    p = line_through(load(t.n(), l), sv, vv, sr, rv);
    p.scale = hn::Add(p.scale, scale);
    p.min = hn::Add(p.min, min);
  } else {
    p = {hn::Add(ratio(rv, vv), scale), zero(), vv, zero()};
  }
  return e;
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
