// What fitting IQ1, IQ2 and IQ3 needs beside the nearest entries, in vector code: weights cell by
// cell, sums over units, and the levels nearest to the scales that units want. Sums have one order
// whatever the width of a vector.
#include "grid/lattice.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/lattice_sums.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Reals = hn::CappedTag<float, 16>;
using Four = hn::Full128<float>;

// to[i][c] <- from[c dims + i] for four cells and four weights.
HWY_INLINE void four_across(const float* from, std::size_t dims, LatticePerCell<float>* to,
                            std::size_t c) {
  const Four d;
  const auto row0 = hn::LoadU(d, from);
  const auto row1 = hn::LoadU(d, from + dims);
  const auto row2 = hn::LoadU(d, from + 2 * dims);
  const auto row3 = hn::LoadU(d, from + 3 * dims);
  const auto lower01 = hn::InterleaveLower(d, row0, row1);
  const auto lower23 = hn::InterleaveLower(d, row2, row3);
  const auto upper01 = hn::InterleaveUpper(d, row0, row1);
  const auto upper23 = hn::InterleaveUpper(d, row2, row3);
  hn::StoreU(hn::ConcatLowerLower(d, lower23, lower01), d, to[0].data() + c);
  hn::StoreU(hn::ConcatUpperUpper(d, lower23, lower01), d, to[1].data() + c);
  hn::StoreU(hn::ConcatLowerLower(d, upper23, upper01), d, to[2].data() + c);
  hn::StoreU(hn::ConcatUpperUpper(d, upper23, upper01), d, to[3].data() + c);
}

void across(Floats from, std::size_t dims, std::array<LatticePerCell<float>, 8>& to) {
  const std::size_t count = from.size() / dims;
  std::size_t c = 0;
  for (; c + 4 <= count; c += 4) {
    for (std::size_t i = 0; i < dims; i += 4)
      four_across(from.data() + c * dims + i, dims, to.data() + i, c);
  }
  if (count % 16 == 0) return;
  for (; c < (count + 15) / 16 * 16; ++c) {
    for (std::size_t i = 0; i < dims; ++i) to[i][c] = c < count ? from[c * dims + i] : 0;
  }
}

void load(const LatticeType& type, Floats w, Floats h, LatticeCells& cells) {
  const Reals d;
  const hn::RebindToSigned<Reals> di;
  cells.count = w.size() / type.dims;
  across(w, type.dims, cells.x);
  across(h, type.dims, cells.h);
  const bool even = type.signs == LatticeSigns::even;
  const auto sometimes = hn::Set(d, even ? 1.0f : 0.0f);
  const auto always = hn::Set(d, even && type.dims == 4 ? 1.0f : 0.0f);
  for (std::size_t c = 0; c < cells.stride(); c += hn::Lanes(d)) {
    auto minus = hn::Zero(di);
    auto odd = hn::Zero(di);
    for (std::size_t i = 0; i < type.dims; ++i) {
      const auto x = hn::Load(d, cells.x[i].data() + c);
      const auto negative = hn::RebindMask(di, hn::Lt(x, hn::Zero(d)));
      minus = hn::Or(minus, hn::IfThenElseZero(negative, hn::Set(di, 1 << i)));
      odd = hn::Xor(odd, hn::IfThenElseZero(negative, hn::Set(di, 1)));
      if (type.shift == 0) hn::Store(hn::Abs(x), d, cells.x[i].data() + c);
    }
    hn::Store(minus, di, cells.minus.data() + c);
    const auto is_odd = hn::RebindMask(d, hn::Ne(odd, hn::Zero(di)));
    hn::Store(hn::IfThenElse(is_odd, sometimes, always), d, cells.turn.data() + c);
  }
}

void usual_scales(const LatticeType& type, std::size_t units, LatticePowers& p) {
  const Reals d;
  for (std::size_t u = units; u < kLatticeUnits; ++u) p.zero[u] = p.two[u] = p.four[u] = 0;
  const auto typical = hn::Set(d, type.typical);
  for (std::size_t u = 0; u < kLatticeUnits; u += hn::Lanes(d)) {
    const auto zero = hn::Load(d, p.zero.data() + u);
    const auto two = hn::Load(d, p.two.data() + u);
    const auto mean = hn::Div(two, zero);
    const auto four = hn::Div(hn::Load(d, p.four.data() + u), zero);
    const auto spread = hn::Sqrt(hn::Sqrt(hn::Div(hn::Div(four, mean), mean)));
    const auto level = hn::Mul(hn::Sqrt(mean), hn::Mul(spread, hn::Sqrt(spread)));
    const auto scale = hn::Div(level, typical);
    const auto sound = hn::Lt(scale, hn::Set(d, 3.0e38f));  // neither infinite nor no number
    hn::Store(hn::IfThenElseZero(sound, scale), d, p.usual.data() + u);
  }
}

void powers(const LatticeType& type, const LatticeCells& cells, LatticePowers& out) {
  const Reals d;
  alignas(64) LatticePerCell<float> zero, two, four, largest;
  for (std::size_t c = 0; c < cells.stride(); c += hn::Lanes(d)) {
    auto sum0 = hn::Zero(d), sum2 = sum0, sum4 = sum0, most = sum0;
    for (std::size_t i = 0; i < type.dims; ++i) {
      const auto x = hn::Abs(hn::Load(d, cells.x[i].data() + c));
      const auto h = hn::Load(d, cells.h[i].data() + c);
      const auto xx = hn::Mul(x, x);
      const auto hxx = hn::Mul(h, xx);
      sum0 = hn::Add(sum0, h);
      sum2 = hn::Add(sum2, hxx);
      sum4 = hn::Add(sum4, hn::Mul(hxx, xx));
      most = hn::Max(most, x);
    }
    hn::Store(sum0, d, zero.data() + c);
    hn::Store(sum2, d, two.data() + c);
    hn::Store(sum4, d, four.data() + c);
    hn::Store(most, d, largest.data() + c);
  }
  const std::size_t n = type.unit / type.dims;
  for (std::size_t u = 0; u * n < cells.count; ++u) {
    const std::size_t c = u * n;
    out.zero[u] = zero[c];
    out.two[u] = two[c];
    out.four[u] = four[c];
    out.largest[u] = largest[c];
    for (std::size_t k = c + 1; k < c + n; ++k) {
      out.zero[u] += zero[k];
      out.two[u] += two[k];
      out.four[u] += four[k];
      out.largest[u] = HWY_MAX(out.largest[u], largest[k]);
    }
  }
  usual_scales(type, cells.count / n, out);
}

// v of four weights of a cell, those from `first` on.
HWY_INLINE hn::Vec<Four> four_values(const LatticeType& type, std::uint32_t code,
                                     std::uint8_t shift, std::size_t first) {
  const Four d;
  const std::uint16_t digits = type.codebook[code & 0xFFFF];
  const auto low = hn::LoadU(d, type.halves[digits & 0xFF].data());
  const auto high = hn::LoadU(d, type.halves[digits >> 8].data());
  const auto levels = type.dims == 4 ? hn::ConcatLowerLower(d, high, low) : first == 0 ? low : high;
  if (type.shift != 0)
    return hn::Add(levels, hn::Set(d, ((code >> 16 | shift) & 1) != 0 ? -type.shift : type.shift));
  return hn::Mul(levels, hn::LoadU(d, kLatticeSigns[code >> (16 + first) & 15].data()));
}

void moments(const LatticeType& type, Floats w, Floats h, const Code* code,
             const std::uint8_t* shift, const float* scale, std::span<LatticeMoments> units) {
  const Four d;
  for (std::size_t u = 0; u < units.size(); ++u) {
    auto wv = hn::Zero(d), vv = wv, error = wv;
    const auto unit_scale = hn::Set(d, scale[u]);
    for (std::size_t j = u * type.unit; j < (u + 1) * type.unit; j += 4) {
      const std::size_t c = j / type.dims;
      const auto v =
          four_values(type, static_cast<std::uint32_t>(code[c]), shift[u], j - c * type.dims);
      const auto weights = hn::LoadU(d, w.data() + j);
      const auto importance = hn::LoadU(d, h.data() + j);
      const auto hv = hn::Mul(importance, v);
      const auto off = hn::Sub(weights, hn::Mul(unit_scale, v));
      wv = hn::Add(wv, hn::Mul(hv, weights));
      vv = hn::Add(vv, hn::Mul(hv, v));
      error = hn::Add(error, hn::Mul(importance, hn::Mul(off, off)));
    }
    const auto sum = [&](hn::Vec<Four> x) HWY_ATTR {
      float part[4];
      hn::StoreU(x, d, part);
      return (part[0] + part[1]) + (part[2] + part[3]);
    };
    units[u] = {sum(wv), sum(vv), sum(error)};
  }
}

// In the order of a tree.
HWY_INLINE float tree_sum(LatticePerUnit<float>& x) {
  for (std::size_t n = kLatticeUnits / 2; n > 0; n /= 2) {
    for (std::size_t k = 0; k < n; ++k) x[k] += x[k + n];
  }
  return x[0];
}

void levels(const LatticeType& type, const LatticeWish& wish, float d_of_block,
            LatticeLevels& out) {
  const Reals d;
  const hn::RebindToSigned<Reals> di;
  const float half_step = d_of_block * type.factor;
  const float step = 2 * half_step;
  const auto inverse = hn::Set(d, step > 0 ? 1 / step : 0.0f);
  const auto half = hn::Set(d, 0.5f);
  alignas(64) LatticePerUnit<float> up, down, cost;
  for (std::size_t u = 0; u < kLatticeUnits; u += hn::Lanes(d)) {
    const auto scale = hn::Load(d, wish.scale.data() + u);
    const auto weight = hn::Load(d, wish.weight.data() + u);
    const auto most = hn::Set(d, static_cast<float>(type.scales - 1));
    const auto at = hn::Max(hn::Sub(hn::Mul(scale, inverse), half), hn::Zero(d));
    const auto level = hn::Round(hn::Min(at, most));
    hn::Store(hn::ConvertTo(di, level), di, out.level.data() + u);
    const auto m = hn::Add(hn::Add(level, level), hn::Set(d, 1));
    const auto off = hn::Sub(hn::Mul(hn::Set(d, half_step), m), scale);
    const auto weight_m = hn::Mul(weight, m);
    hn::Store(hn::Mul(weight_m, scale), d, up.data() + u);
    hn::Store(hn::Mul(weight_m, m), d, down.data() + u);
    hn::Store(hn::Mul(weight, hn::Mul(off, off)), d, cost.data() + u);
  }
  out.up = tree_sum(up);
  out.down = tree_sum(down);
  out.cost = tree_sum(cost);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(load);
HWY_EXPORT(powers);
HWY_EXPORT(moments);
HWY_EXPORT(levels);

void lattice_load(const LatticeType& type, Floats w, Floats h, LatticeCells& cells) noexcept {
  HWY_DYNAMIC_DISPATCH(load)(type, w, h, cells);
}

void lattice_powers(const LatticeType& type, const LatticeCells& cells,
                    LatticePowers& out) noexcept {
  HWY_DYNAMIC_DISPATCH(powers)(type, cells, out);
}

void lattice_moments(const LatticeType& type, Floats w, Floats h, const Code* code,
                     const std::uint8_t* shift, const float* scale,
                     std::span<LatticeMoments> units) noexcept {
  HWY_DYNAMIC_DISPATCH(moments)(type, w, h, code, shift, scale, units);
}

void lattice_levels(const LatticeType& type, const LatticeWish& wish, float d,
                    LatticeLevels& out) noexcept {
  HWY_DYNAMIC_DISPATCH(levels)(type, wish, d, out);
}

}  // namespace zp
#endif
