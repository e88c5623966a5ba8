// placeholder head
#include <algorithm>
#include <cmath>
#include <cstring>

#include "grid/super_blocks.h"
#include "number/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/super_blocks_search.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#ifndef ZP_GRID_SUPER_BLOCKS_SCALAR
#define ZP_GRID_SUPER_BLOCKS_SCALAR
namespace zp {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kDeepest = 32;

// One number for each of sixteen units.
struct alignas(64) PerUnit {
  float at[kLanes];
};

// Sixteen units side by side; weight j of unit l at [j][l].
struct alignas(64) Tile {
  float x[kDeepest][kLanes];
  float h[kDeepest][kLanes];
  PerUnit n;  // sum of h
};

// Squared error of each unit with certain codes as a function of its scale s and min m:
// error + vv (s - scale)^2 - 2 v (s - scale) (m - min) + n (m - min)^2 is a parabola around the
// least-squares scale and min.
struct Parabola {
  PerUnit scale, min;
  PerUnit vv, v;
};

// Stored parameters of sixteen units; d and dmin are repeated for each unit of a block.
struct Stored {
  PerUnit d, dmin, scale, min;
};

float nearest_half(float v) noexcept {
  constexpr float kLargest = 65504.0f;
  return fp16_to_float(float_to_fp16(std::clamp(v, -kLargest, kLargest)));
}

// Ratios of a divisor to try: for the first time, where the largest multiple comes near the
// highest one, and around one that is good.
struct alignas(64) Ratios {
  float at[kLanes];
};
constexpr Ratios coarse_ratios() {
  Ratios r{};
  for (std::size_t i = 0; i < kLanes; ++i) r.at[i] = 1 / (1 - 0.02f * static_cast<float>(i));
  return r;
}
constexpr Ratios fine_ratios() {
  Ratios r{};
  for (std::size_t i = 0; i < kLanes; ++i) r.at[i] = 1 + 0.0025f * (static_cast<float>(i) - 7.5f);
  return r;
}
constexpr Ratios kCoarse = coarse_ratios();
constexpr Ratios kFine = fine_ratios();

constexpr float kLeast = 0x1p-20f;  // of the largest importance of a unit; a power of two

/// The power of two that brings the largest of h to [1, 2); 1 if there is none above 0.
float power_below(const float* h, std::size_t count) noexcept {
  const float most = count > 0 ? *std::max_element(h, h + count) : 0;
  return most > 0 ? std::ldexp(1.0f, -std::ilogb(most)) : 1;
}

/// Integers have no -0.
float stored_whole(float v) noexcept { return v + 0.0f; }

struct Divisor {
  float value;
  float cost;
};

}  // namespace
}  // namespace zp
#endif  // ZP_GRID_SUPER_BLOCKS_SCALAR

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kLanes>;
using V = hn::Vec<D>;
constexpr std::size_t kN = hn::MaxLanes(D());

HWY_INLINE V set(float v) { return hn::Set(D(), v); }
HWY_INLINE V zero() { return hn::Zero(D()); }

// Lookup in 16 entries.
template <class VI>
HWY_INLINE V entry(const float* table, VI index) {
  const D d;
  if constexpr (kN == 16) {
    return hn::TableLookupLanes(hn::LoadU(d, table), hn::IndicesFromVec(d, index));
  } else if constexpr (kN == 8) {
    const hn::RebindToSigned<D> di;
    const auto in_half = hn::IndicesFromVec(d, hn::And(index, hn::Set(di, 7)));
    return hn::IfThenElse(hn::RebindMask(d, hn::Gt(index, hn::Set(di, 7))),
                          hn::TableLookupLanes(hn::LoadU(d, table + 8), in_half),
                          hn::TableLookupLanes(hn::LoadU(d, table), in_half));
  } else {
    return hn::GatherIndex(d, table, index);
  }
}

constexpr float kMids[16] = {-115.5f, -93.5f, -74.0f, -57.0f, -42.0f, -28.5f, -16.0f, -4.5f,
                             7.0f,    19.0f,  31.5f,  45.5f,  61.0f,  79.0f,  101.0f, 0.0f};

HWY_INLINE auto table_code(V y) {
  const hn::RebindToSigned<D> di;
  const auto step = [&](auto mask, int add) {
    return hn::IfThenElseZero(hn::RebindMask(di, mask), hn::Set(di, add));
  };
  auto code = step(hn::Gt(y, set(kMids[7])), 8);
  code = hn::Add(code, step(hn::Gt(y, entry(kMids, hn::Add(code, hn::Set(di, 3)))), 4));
  code = hn::Add(code, step(hn::Gt(y, entry(kMids, hn::Add(code, hn::Set(di, 1)))), 2));
  return hn::Add(code, step(hn::Gt(y, entry(kMids, code)), 1));
}

template <int unit, bool with_min, bool table>
struct Form {
  static constexpr std::size_t kUnit = unit;
  static constexpr bool kMin = with_min;
  static constexpr bool kTable = table;
  const SuperLayout& layout;
  float lowest, highest;  // levels
  V lo, hi;

  explicit Form(const SuperLayout& l)
      : layout(l),
        lowest(table ? kIq4Levels.front() : static_cast<float>(l.lowest)),
        highest(table ? kIq4Levels.back() : static_cast<float>(l.highest())),
        lo(set(lowest)),
        hi(set(highest)) {}

  HWY_INLINE V level(V y) const {
    if constexpr (kTable) {
      return entry(kIq4Levels.data(), table_code(y));
    } else {
      return hn::Round(hn::Min(hn::Max(y, lo), hi));
    }
  }
};

template <class F>
HWY_INLINE void for_lanes(const F& f) {
  for (std::size_t l = 0; l < kLanes; l += kN) f(l);
}
HWY_INLINE V load(const PerUnit& from, std::size_t l) { return hn::Load(D(), from.at + l); }
HWY_INLINE void store(V v, PerUnit& to, std::size_t l) { hn::Store(v, D(), to.at + l); }

/// 1 / v, or 0 where that isn't finite.
HWY_INLINE V inverse(V v) {
  const V huge = set(3.0e38f);
  const V i = hn::Div(set(1), v);
  return hn::IfThenElseZero(hn::Le(hn::Abs(i), huge), i);
}

// --- one unit without regard to the others -------------------------------------------------------

struct Extremes {
  V lo, hi;
};
template <class F>
HWY_INLINE Extremes extremes(const Tile& t, std::size_t l) {
  V lo = hn::Load(D(), t.x[0] + l);
  V hi = lo;
  for (std::size_t j = 1; j < F::kUnit; ++j) {
    const V x = hn::Load(D(), t.x[j] + l);
    lo = hn::Min(lo, x);
    hi = hn::Max(hi, x);
  }
  return {lo, hi};
}

// Scale and min from the extremes: the range.
template <class F>
void range_fit(const F& f, const Tile& t, Parabola& out) {
  for_lanes([&](std::size_t l) {
    const auto [lo, hi] = extremes<F>(t, l);
    if constexpr (F::kMin) {
      const V low = hn::Min(lo, zero());
      store(hn::Div(hn::Sub(hi, low), f.hi), out.scale, l);
      store(hn::Neg(low), out.min, l);
    } else {
      const V largest = hn::IfThenElse(hn::Gt(hi, hn::Neg(lo)), hi, lo);
      store(hn::Div(largest, f.lo), out.scale, l);
      store(zero(), out.min, l);
    }
    store(set(1), out.vv, l);
    store(zero(), out.v, l);
  });
}

struct LineSums {
  V q, qq, yq;
};

template <class F, bool kW>
HWY_INLINE void line_sums(const F& f, const Tile& t, std::size_t l, const V* y, V inv, V phase,
                          LineSums& s) {
  s = {zero(), zero(), zero()};
  for (std::size_t j = 0; j < F::kUnit; ++j) {
    const V q = f.level(hn::Add(hn::Mul(y[j], inv), phase));
    const V hq = kW ? hn::Mul(hn::Load(D(), t.h[j] + l), q) : q;
    s.q = hn::Add(s.q, hq);
    s.qq = hn::Add(s.qq, hn::Mul(hq, q));
    s.yq = hn::Add(s.yq, hn::Mul(hq, y[j]));
  }
}

// x ~ scale q - min, min >= 0: the best of some ranges, each with its least-squares line, improved
// by alternation.
template <class F, bool kW>
void line_fit(const F& f, const Tile& t, Parabola& out) {
  const D d;
  for_lanes([&](std::size_t l) {
    const auto [lo0, hi] = extremes<F>(t, l);
    const V lo = hn::Min(lo0, zero());
    const V range = hn::Sub(hi, lo);
    V y[F::kUnit];
    V sy = zero(), syy = zero();
    const V n = load(t.n, l);
    for (std::size_t j = 0; j < F::kUnit; ++j) {
      y[j] = hn::Sub(hn::Load(d, t.x[j] + l), lo);
      const V hy = kW ? hn::Mul(hn::Load(d, t.h[j] + l), y[j]) : y[j];
      sy = hn::Add(sy, hy);
      syy = hn::Add(syy, hn::Mul(hy, y[j]));
    }
    const V top = hn::Neg(lo);  // the origin may not go above x = 0: y = -lo
    V best_e = set(3.0e38f), best_s = zero(), best_b = zero();
    V best_vv = zero(), best_v = zero(), best_cs = zero(), best_cb = zero();
    const auto consider = [&](const LineSums& s) {
      const V det = hn::Sub(hn::Mul(n, s.qq), hn::Mul(s.q, s.q));
      const auto sound = hn::Gt(det, hn::Mul(set(1e-6f), hn::Mul(n, s.qq)));
      const V cs =
          hn::IfThenElseZero(sound, hn::Div(hn::Sub(hn::Mul(n, s.yq), hn::Mul(s.q, sy)), det));
      const V cb = hn::Div(hn::Sub(sy, hn::Mul(cs, s.q)), n);
      // Held at the bound: the best scale through it.
      const auto beyond = hn::Gt(cb, top);
      const V held = hn::Div(hn::Sub(s.yq, hn::Mul(top, s.q)), hn::Max(s.qq, set(1e-30f)));
      const V sc = hn::IfThenElse(beyond, held, cs);
      const V b = hn::Min(cb, top);
      // syy - 2 s yq - 2 b sy + s^2 qq + 2 s b q + b^2 n
      const V e1 = hn::Mul(sc, hn::Add(hn::Sub(hn::Mul(sc, s.qq), hn::Add(s.yq, s.yq)),
                                       hn::Mul(hn::Add(b, b), s.q)));
      const V e2 = hn::Mul(b, hn::Sub(hn::Mul(b, n), hn::Add(sy, sy)));
      const V e = hn::Add(hn::Add(e1, e2), syy);
      const auto better = hn::Lt(e, best_e);
      best_e = hn::IfThenElse(better, e, best_e);
      best_s = hn::IfThenElse(better, sc, best_s);
      best_b = hn::IfThenElse(better, b, best_b);
      best_vv = hn::IfThenElse(better, s.qq, best_vv);
      best_v = hn::IfThenElse(better, s.q, best_v);
      best_cs = hn::IfThenElse(better, cs, best_cs);
      best_cb = hn::IfThenElse(better, cb, best_cb);
    };
    const V inv_range = inverse(range);
    const SuperSearch& search = f.layout.search;
    for (int c = 0; c < search.starts * search.starts; ++c) {
      const float a = search.first + search.step * static_cast<float>(c / search.starts);
      const float b = search.first + search.step * static_cast<float>(c % search.starts);
      // The range less a + b steps is `highest` steps.
      const float steps = f.highest + a + b;
      LineSums s;
      line_sums<F, kW>(f, t, l, y, hn::Mul(inv_range, set(steps)), set(-a), s);
      consider(s);
    }
    for (int r = 0; r < search.rounds; ++r) {
      const V inv = inverse(best_s);
      LineSums s;
      line_sums<F, kW>(f, t, l, y, inv, hn::Neg(hn::Mul(best_b, inv)), s);
      consider(s);
    }
    store(best_cs, out.scale, l);
    store(hn::Neg(hn::Add(best_cb, lo)), out.min, l);
    store(best_vv, out.vv, l);
    store(best_v, out.v, l);
  });
}

struct ScaleSums {
  V qq, xq;
};

template <class F, bool kW>
HWY_INLINE void scale_sums(const F& f, const Tile& t, std::size_t l, V inv, ScaleSums& s) {
  s = {zero(), zero()};
  for (std::size_t j = 0; j < F::kUnit; ++j) {
    const V x = hn::Load(D(), t.x[j] + l);
    const V q = f.level(hn::Mul(x, inv));
    const V hq = kW ? hn::Mul(hn::Load(D(), t.h[j] + l), q) : q;
    s.qq = hn::Add(s.qq, hn::Mul(hq, q));
    s.xq = hn::Add(s.xq, hn::Mul(hq, x));
  }
}

// x ~ scale q: the best of some ranges of both signs, each with its least-squares scale.
template <class F, bool kW>
void scale_fit(const F& f, const Tile& t, Parabola& out) {
  for_lanes([&](std::size_t l) {
    const auto [lo, hi] = extremes<F>(t, l);
    const V unit = inverse(hn::Max(hi, hn::Neg(lo)));
    V best = zero(), best_qq = zero(), best_xq = zero();
    const auto consider = [&](const ScaleSums& s) {
      // Error: sum h x^2 - xq^2 / qq.
      const V gain = hn::Div(hn::Mul(s.xq, s.xq), hn::Max(s.qq, set(1e-30f)));
      const auto better = hn::Gt(gain, best);
      best = hn::IfThenElse(better, gain, best);
      best_qq = hn::IfThenElse(better, s.qq, best_qq);
      best_xq = hn::IfThenElse(better, s.xq, best_xq);
    };
    const SuperSearch& search = f.layout.search;
    for (int c = 0; c < 2 * search.starts; ++c) {
      const float k = f.lowest * (search.first - search.step * static_cast<float>(c / 2));
      const V inv = hn::Mul(unit, set(c % 2 == 0 ? k : -k));
      ScaleSums s;
      scale_sums<F, kW>(f, t, l, inv, s);
      consider(s);
    }
    for (int r = 0; r < search.rounds; ++r) {
      ScaleSums s;
      scale_sums<F, kW>(f, t, l, hn::Mul(best_qq, inverse(best_xq)), s);
      consider(s);
    }
    store(hn::IfThenElseZero(hn::Gt(best_qq, zero()),
                             hn::Div(best_xq, hn::Max(best_qq, set(1e-30f)))),
          out.scale, l);
    store(zero(), out.min, l);
    store(best_qq, out.vv, l);
    store(zero(), out.v, l);
  });
}

// --- outer scales --------------------------------------------------------------------------------

/// Of base * ratios the divisor d with the least sum g (target - d clamp(round(target / d)))^2.
Divisor best_divisor(const float* target, const float* g, std::size_t units, float lo, float hi,
                     float base, const Ratios& ratios) {
  const D d;
  PerUnit cost;
  PerUnit divisor;
  for_lanes([&](std::size_t l) {
    const V value = hn::Mul(set(base), hn::Load(d, ratios.at + l));
    const V inv = inverse(value);
    V sum = zero();
    for (std::size_t u = 0; u < units; ++u) {
      const V want = set(target[u]);
      const V n = hn::Round(hn::Min(hn::Max(hn::Mul(want, inv), set(lo)), set(hi)));
      const V e = hn::Sub(want, hn::Mul(n, value));
      sum = hn::Add(sum, hn::Mul(set(g[u]), hn::Mul(e, e)));
    }
    store(sum, cost, l);
    store(value, divisor, l);
  });
  std::size_t best = 0;
  for (std::size_t i = 1; i < kLanes; ++i) {
    if (cost.at[i] < cost.at[best]) best = i;
  }
  return {divisor.at[best], cost.at[best]};
}

float multiple(float target, float d, float lo, float hi) {
  if (d == 0) return std::clamp(0.0f, lo, hi);
  return std::nearbyint(std::clamp(target / d, lo, hi));
}

/// The least-squares divisor for the multiples it has, as an FP16.
float refit_divisor(const float* target, const float* g, std::size_t units, float lo, float hi,
                    float divisor) {
  float num = 0, den = 0;
  for (std::size_t u = 0; u < units; ++u) {
    const float n = multiple(target[u], divisor, lo, hi);
    num += g[u] * n * target[u];
    den += g[u] * n * n;
  }
  return nearest_half(den > 0 ? num / den : divisor);
}

float largest_of(const float* v, std::size_t units) {
  float most = 0;
  for (std::size_t u = 0; u < units; ++u) most = std::fabs(v[u]) > std::fabs(most) ? v[u] : most;
  return most;
}

/// Outer and inner parameters of one block, for the units from `first`; base: 0, or a good d and
/// dmin to begin with.
template <class F>
void choose_outer(const F& f, const Tile& t, const Parabola& p, std::size_t first, bool begin,
                  Stored& s) {
  const auto units = static_cast<std::size_t>(f.layout.units);
  const auto lo = static_cast<float>(f.layout.scale_lo);
  const auto hi = static_cast<float>(f.layout.scale_hi);
  const float* target = p.scale.at + first;
  float g[kLanes];
  for (std::size_t u = 0; u < units; ++u) {
    const float v = p.v.at[first + u];
    g[u] = F::kMin ? p.vv.at[first + u] - v * v / t.n.at[first + u] : p.vv.at[first + u];
  }
  Divisor best{};
  if (units == 1) {
    best.value = target[0];
  } else if (begin) {
    const float most = largest_of(target, units);
    best = best_divisor(target, g, units, lo, hi, most / (hi + 0.45f), kCoarse);
    if (lo < 0) {
      const Divisor flipped = best_divisor(target, g, units, lo, hi, most / (lo - 0.45f), kCoarse);
      if (flipped.cost < best.cost) best = flipped;
    }
  } else {
    best = best_divisor(target, g, units, lo, hi, s.d.at[first], kFine);
  }
  const float d = refit_divisor(target, g, units, lo, hi, best.value);
  float want[kLanes];
  for (std::size_t u = 0; u < units; ++u) {
    const std::size_t l = first + u;
    s.d.at[l] = d;
    s.scale.at[l] = multiple(target[u], d, lo, hi);
    want[u] = p.min.at[l] + p.v.at[l] / t.n.at[l] * (d * s.scale.at[l] - target[u]);
    s.min.at[l] = 0;
    s.dmin.at[l] = 0;
  }
  if constexpr (F::kMin) {
    const auto min_hi = static_cast<float>(f.layout.min_hi);
    const float* n = t.n.at + first;
    for (std::size_t u = 0; u < units; ++u) want[u] = std::max(want[u], 0.0f);
    const float base = begin ? largest_of(want, units) / (min_hi + 0.45f) : s.dmin.at[first];
    best = best_divisor(want, n, units, 0, min_hi, base, begin ? kCoarse : kFine);
    const float dmin = refit_divisor(want, n, units, 0, min_hi, best.value);
    for (std::size_t u = 0; u < units; ++u) {
      s.dmin.at[first + u] = dmin;
      s.min.at[first + u] = multiple(want[u], dmin, 0, min_hi);
    }
  }
}

// --- stored parameters ---------------------------------------------------------------------------

/// Error of each unit as stored, and the parabola around its codes.
template <class F, bool kW>
HWY_INLINE V measure(const F& f, const Tile& t, std::size_t l, V scale, V min, Parabola* p) {
  const V inv = inverse(scale);
  V e = zero(), rv = zero(), sr = zero(), vv = zero(), sv = zero();
  for (std::size_t j = 0; j < F::kUnit; ++j) {
    const V x = hn::Load(D(), t.x[j] + l);
    const V v = f.level(hn::Mul(F::kMin ? hn::Add(x, min) : x, inv));
    const V product = hn::Mul(v, scale);
    const V r = hn::Sub(x, F::kMin ? hn::Sub(product, min) : product);
    const V h = kW ? hn::Load(D(), t.h[j] + l) : set(1);
    const V hr = kW ? hn::Mul(h, r) : r;
    const V hv = kW ? hn::Mul(h, v) : v;
    e = hn::Add(e, hn::Mul(hr, r));
    rv = hn::Add(rv, hn::Mul(hr, v));
    vv = hn::Add(vv, hn::Mul(hv, v));
    if constexpr (F::kMin) {
      sr = hn::Add(sr, hr);
      sv = hn::Add(sv, hv);
    }
  }
  if (p != nullptr) {
    if constexpr (F::kMin) {
      const V n = load(t.n, l);
      const V det = hn::Sub(hn::Mul(n, vv), hn::Mul(sv, sv));
      const auto sound = hn::Gt(det, hn::Mul(set(1e-6f), hn::Mul(n, vv)));
      const V ds =
          hn::IfThenElseZero(sound, hn::Div(hn::Sub(hn::Mul(n, rv), hn::Mul(sr, sv)), det));
      const V dm = hn::Div(hn::Sub(hn::Mul(ds, sv), sr), n);
      store(hn::Add(scale, ds), p->scale, l);
      store(hn::Add(min, dm), p->min, l);
    } else {
      const V ds = hn::IfThenElseZero(hn::Gt(vv, zero()), hn::Div(rv, vv));
      store(hn::Add(scale, ds), p->scale, l);
      store(zero(), p->min, l);
    }
    store(vv, p->vv, l);
    store(sv, p->v, l);
  }
  return e;
}

template <class F, bool kW>
void measure_all(const F& f, const Tile& t, const Stored& s, PerUnit& error, Parabola* p) {
  for_lanes([&](std::size_t l) {
    const V e = measure<F, kW>(f, t, l, hn::Mul(load(s.d, l), load(s.scale, l)),
                               hn::Mul(load(s.dmin, l), load(s.min, l)), p);
    store(e, error, l);
  });
}

/// Inner scales and mins, with d and dmin as they are.
template <class F, bool kW>
void refine_units(const F& f, const Tile& t, Stored& s) {
  const V scale_lo = set(static_cast<float>(f.layout.scale_lo));
  const V scale_hi = set(static_cast<float>(f.layout.scale_hi));
  const V min_hi = set(static_cast<float>(f.layout.min_hi));
  for_lanes([&](std::size_t l) {
    const V d = load(s.d, l);
    const V dmin = load(s.dmin, l);
    const V inv_d = inverse(d);
    const V inv_dmin = inverse(dmin);
    V scale = load(s.scale, l);
    V min = load(s.min, l);
    Parabola at;
    V best = measure<F, kW>(f, t, l, hn::Mul(d, scale), hn::Mul(dmin, min), &at);
    const auto min_for = [&](V sc) {
      // The parabola's best min for this scale.
      const V v_n = hn::Div(load(at.v, l), load(t.n, l));
      const V want =
          hn::Add(load(at.min, l), hn::Mul(v_n, hn::Sub(hn::Mul(d, sc), load(at.scale, l))));
      return hn::Round(hn::Min(hn::Max(hn::Mul(want, inv_dmin), zero()), min_hi));
    };
    const auto clamp_scale = [&](V sc) { return hn::Min(hn::Max(sc, scale_lo), scale_hi); };
    const auto consider = [&](V sc, V mn, bool center) {
      Parabola there;
      const V e =
          measure<F, kW>(f, t, l, hn::Mul(d, sc), hn::Mul(dmin, mn), center ? &there : nullptr);
      const auto better = hn::Lt(e, hn::Mul(best, set(0.99999f)));
      best = hn::IfThenElse(better, e, best);
      scale = hn::IfThenElse(better, sc, scale);
      min = hn::IfThenElse(better, mn, min);
      if (center) {
        const auto take = [&](const PerUnit& from, PerUnit& to) {
          store(hn::IfThenElse(better, load(from, l), load(to, l)), to, l);
        };
        take(there.scale, at.scale);
        take(there.min, at.min);
        take(there.vv, at.vv);
        take(there.v, at.v);
      }
    };
    for (int r = 0; r < f.layout.search.inner; ++r) {
      const V sc = clamp_scale(hn::Round(hn::Mul(load(at.scale, l), inv_d)));
      consider(sc, F::kMin ? min_for(sc) : zero(), true);
    }
    const V found = scale;
    for (int i = 0; i < 2 * f.layout.search.neighbours; ++i) {
      const auto step = static_cast<float>(i / 2 + 1);
      const V sc = clamp_scale(hn::Add(found, set(i % 2 == 0 ? step : -step)));
      consider(sc, F::kMin ? min_for(sc) : zero(), false);
    }
    store(scale, s.scale, l);
    store(min, s.min, l);
  });
}

template <class F>
void range_inner(const F& f, const Parabola& p, Stored& s) {
  for_lanes([&](std::size_t l) {
    const auto whole = [&](const PerUnit& want, const PerUnit& divisor, int lo, int hi) {
      const V y = hn::Mul(load(want, l), inverse(load(divisor, l)));
      return hn::Round(
          hn::Min(hn::Max(y, set(static_cast<float>(lo))), set(static_cast<float>(hi))));
    };
    store(whole(p.scale, s.d, f.layout.scale_lo, f.layout.scale_hi), s.scale, l);
    store(whole(p.min, s.dmin, 0, f.layout.min_hi), s.min, l);
  });
}

template <class F>
void range_outer(const F& f, const Parabola& p, Stored& s) {
  const auto units = static_cast<std::size_t>(f.layout.units);
  const int extreme = f.layout.scale_lo < 0 ? f.layout.scale_lo : f.layout.scale_hi;
  for (std::size_t first = 0; first < kLanes; first += units) {
    const float d =
        nearest_half(largest_of(p.scale.at + first, units) / static_cast<float>(extreme));
    const float dmin = F::kMin ? nearest_half(largest_of(p.min.at + first, units) /
                                              static_cast<float>(f.layout.min_hi))
                               : 0;
    for (std::size_t l = first; l < first + units; ++l) {
      s.d.at[l] = d;
      s.dmin.at[l] = dmin;
    }
  }
}

template <class F, bool kW>
void search_blocks(const F& f, const Tile& t, Stored& s) {
  const auto units = static_cast<std::size_t>(f.layout.units);
  Parabola p;
  PerUnit error;
  range_fit(f, t, p);
  range_outer(f, p, s);
  range_inner(f, p, s);
  measure_all<F, kW>(f, t, s, error, nullptr);
  Stored now = s;
  if constexpr (F::kMin) {
    line_fit<F, kW>(f, t, p);
  } else {
    scale_fit<F, kW>(f, t, p);
  }
  for (int round = 0; round < f.layout.search.outer; ++round) {
    for (std::size_t first = 0; first < kLanes; first += units) {
      choose_outer(f, t, p, first, round == 0, now);
    }
    PerUnit e;
    measure_all<F, kW>(f, t, now, e, &p);
    for (std::size_t first = 0; first < kLanes; first += units) {
      float before = 0, after = 0;
      for (std::size_t l = first; l < first + units; ++l) {
        before += error.at[l];
        after += e.at[l];
      }
      if (!(after < before * 0.9999f)) continue;
      for (std::size_t l = first; l < first + units; ++l) {
        s.d.at[l] = now.d.at[l];
        s.dmin.at[l] = now.dmin.at[l];
        s.scale.at[l] = now.scale.at[l];
        s.min.at[l] = now.min.at[l];
        error.at[l] = e.at[l];
      }
    }
  }
}

/// Units `count` of them, one after another in w, into lanes from `first`.
template <std::size_t kUnit>
void load_units(const float* w, std::size_t first, std::size_t count, float (*to)[kLanes]) {
  for (std::size_t u = 0; u < count; ++u) {
    for (std::size_t j = 0; j < kUnit; ++j) to[j][first + u] = w[u * kUnit + j];
  }
}

/// Up to sixteen units. h is scaled by a power of two, so that the largest of a block is near 1 and
/// a unit alone is fitted as it is inside its block; none stays 0.
template <class F>
void load_tile(const F& f, Floats w, Floats h, Tile& t) {
  const std::size_t count = w.size() / F::kUnit;
  load_units<F::kUnit>(w.data(), 0, count, t.x);
  for (std::size_t u = count; u < kLanes; ++u) {
    for (std::size_t j = 0; j < F::kUnit; ++j) t.x[j][u] = 0;
  }
  for (std::size_t l = 0; l < kLanes; ++l) t.n.at[l] = static_cast<float>(F::kUnit);
  if (h.empty()) return;
  const auto units = static_cast<std::size_t>(f.layout.units);
  for (std::size_t first = 0; first < kLanes; first += units) {
    const std::size_t here = std::min(units, count - std::min(first, count));
    const float* from = h.data() + std::min(first, count) * F::kUnit;
    const float scale = power_below(from, here * F::kUnit);
    for (std::size_t u = 0; u < units; ++u) {
      const float* unit = from + u * F::kUnit;
      const float most = u < here ? *std::max_element(unit, unit + F::kUnit) * scale : 0;
      for (std::size_t j = 0; j < F::kUnit; ++j) {
        t.h[j][first + u] = most > 0 ? unit[j] * scale + most * kLeast : kLeast;
      }
    }
  }
  for_lanes([&](std::size_t l) {
    V n = zero();
    for (std::size_t j = 0; j < F::kUnit; ++j) n = hn::Add(n, hn::Load(D(), t.h[j] + l));
    store(n, t.n, l);
  });
}

template <class F>
void open_blocks(const F& f, const Tile& t, bool weighted, Fit fit, Stored& s) {
  if (fit == Fit::range) {
    Parabola p;
    range_fit(f, t, p);
    range_outer(f, p, s);
    range_inner(f, p, s);
  } else if (weighted) {
    search_blocks<F, true>(f, t, s);
  } else {
    search_blocks<F, false>(f, t, s);
  }
}

template <class F>
void open_units(const F& f, const Tile& t, bool weighted, Fit fit, Stored& s) {
  if (f.layout.units == 1) return;
  if (fit == Fit::range) {
    Parabola p;
    range_fit(f, t, p);
    range_inner(f, p, s);
  } else if (weighted) {
    refine_units<F, true>(f, t, s);
  } else {
    refine_units<F, false>(f, t, s);
  }
}

template <class F>
void code_unit(const F& f, const UnitScale& s, const float* w, std::uint8_t* codes) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<std::uint8_t, D> db;
  for (std::size_t j = 0; j < F::kUnit; j += kN) {
    const V y = hn::Mul(hn::Add(hn::LoadU(d, w + j), set(s.min)), set(s.inverse));
    if constexpr (F::kTable) {
      hn::StoreU(hn::DemoteTo(db, table_code(y)), db, codes + j);
    } else {
      const V level = hn::Sub(f.level(y), f.lo);
      hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(di, level)), db, codes + j);
    }
  }
}

void get_params(const Stored& s, std::size_t first, std::size_t units, SuperParams& p) {
  p = {};
  p.d = s.d.at[first];
  p.dmin = s.dmin.at[first];
  for (std::size_t u = 0; u < units; ++u) {
    p.scale[u] = stored_whole(s.scale.at[first + u]);
    p.min[u] = stored_whole(s.min.at[first + u]);
  }
}

template <class F>
void quantize_row(const F& f, Floats w, Floats h, Fit fit, std::byte* out) {
  const auto units = static_cast<std::size_t>(f.layout.units);
  const auto weights = units * F::kUnit;
  Tile t;
  Stored s;
  for (std::size_t begin = 0; begin < w.size(); begin += kLanes * F::kUnit) {
    const std::size_t count = std::min(kLanes * F::kUnit, w.size() - begin);
    const Floats part = w.subspan(begin, count);
    const Floats part_h = h.empty() ? h : h.subspan(begin, count);
    load_tile(f, part, part_h, t);
    open_blocks(f, t, !h.empty(), fit, s);
    open_units(f, t, !h.empty(), fit, s);
    for (std::size_t b = 0; b < count; b += weights, out += f.layout.bytes) {
      SuperParams p;
      get_params(s, b / F::kUnit, units, p);
      std::uint8_t codes[kSuperWeights];
      for (std::size_t u = 0; u < units; ++u) {
        code_unit(f, UnitScale(p, u), part.data() + b + u * F::kUnit, codes + u * F::kUnit);
      }
      super_pack(f.layout, p, codes, out);
    }
  }
}

/// f(Form) for the layout's form.
template <class Do>
void with_form(const SuperLayout& layout, const Do& run) {
  if (layout.has_table()) {
    run(Form<32, false, true>(layout));
  } else if (!layout.has_min()) {
    run(Form<16, false, false>(layout));
  } else if (layout.unit == 16) {
    run(Form<16, true, false>(layout));
  } else {
    run(Form<32, true, false>(layout));
  }
}

void quantize_super_row(const SuperLayout& layout, Floats w, Floats h, Fit fit, std::byte* out) {
  with_form(layout, [&](const auto& f) { quantize_row(f, w, h, fit, out); });
}

void open_super_block(const SuperLayout& layout, Floats w, Floats h, Fit fit, SuperParams& p) {
  with_form(layout, [&](const auto& f) {
    Tile t;
    Stored s;
    load_tile(f, w, h, t);
    open_blocks(f, t, !h.empty(), fit, s);
    get_params(s, 0, static_cast<std::size_t>(layout.units), p);
  });
}

void open_super_unit(const SuperLayout& layout, Floats w, Floats h, Fit fit, std::size_t u,
                     SuperParams& p) {
  with_form(layout, [&](const auto& f) {
    Tile t;
    Stored s{};
    load_tile(f, w, h, t);
    s.d.at[0] = p.d;
    s.dmin.at[0] = p.dmin;
    s.scale.at[0] = p.scale[u];
    s.min.at[0] = p.min[u];
    open_units(f, t, !h.empty(), fit, s);
    p.scale[u] = stored_whole(s.scale.at[0]);
    p.min[u] = stored_whole(s.min.at[0]);
  });
}

void decode_unit(bool table, float lowest, float scale, float min, std::size_t count,
                 const std::uint8_t* codes, float* out) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<std::uint8_t, D> db;
  for (std::size_t j = 0; j < count; j += kN) {
    const auto code = hn::PromoteTo(di, hn::LoadU(db, codes + j));
    const V level =
        table ? entry(kIq4Levels.data(), code) : hn::Add(hn::ConvertTo(d, code), set(lowest));
    hn::StoreU(hn::Sub(hn::Mul(set(scale), level), set(min)), d, out + j);
  }
}

void decode_super_row(const SuperLayout& layout, const std::byte* in, std::span<float> out) {
  const auto weights = static_cast<std::size_t>(layout.weights());
  const auto unit = static_cast<std::size_t>(layout.unit);
  for (std::size_t b = 0; b < out.size(); b += weights, in += layout.bytes) {
    SuperParams p;
    std::uint8_t codes[kSuperWeights];
    super_unpack(layout, in, p, codes);
    for (std::size_t u = 0; u < weights / unit; ++u) {
      const UnitScale s(p, u);
      decode_unit(layout.has_table(), static_cast<float>(layout.lowest), s.scale, s.min, unit,
                  codes + u * unit, out.data() + b + u * unit);
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(quantize_super_row);
HWY_EXPORT(open_super_block);
HWY_EXPORT(open_super_unit);
HWY_EXPORT(decode_super_row);

SuperParams super_open_block(const SuperLayout& layout, Floats w, Floats h, Fit fit) noexcept {
  SuperParams p;
  HWY_DYNAMIC_DISPATCH(open_super_block)(layout, w, h, fit, p);
  return p;
}

void super_open_unit(const SuperLayout& layout, SuperParams& p, std::size_t u, Floats w, Floats h,
                     Fit fit) noexcept {
  HWY_DYNAMIC_DISPATCH(open_super_unit)(layout, w, h, fit, u, p);
}

void super_quantize(const SuperLayout& layout, Floats w, Floats h, Fit fit,
                    std::byte* out) noexcept {
  HWY_DYNAMIC_DISPATCH(quantize_super_row)(layout, w, h, fit, out);
}

void super_decode(const SuperLayout& layout, const std::byte* in, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(decode_super_row)(layout, in, out);
}

}  // namespace zp
#endif
