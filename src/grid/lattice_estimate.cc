// What the best entries of cells of levels -1, 0, 1 cost, estimated, at a fraction of the time that
// finding them takes: one cell at one scale a lane.
//
// Each weight's nearest level and the one next to it, 0 and its sign, span a cube of 256 points. If
// the nearest levels are an entry, that is the best; if not, the cheapest move of one weight within
// the cube that makes them one is taken. Where no single move does (one point of 25), any move
// counts, which is too little. Else the estimate is the cost of an entry, so too large by what two
// moves, or one beyond the cube, would have cost less.
#include <vector>

#include "grid/lattice.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/lattice_estimate.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Reals = hn::CappedTag<float, 16>;
using Real = hn::Vec<Reals>;
using Integers = hn::RebindToSigned<Reals>;

// What the cheapest move that leads to an entry costs, or 0; in units of the scale.
HWY_INLINE Real cheapest_move(const std::int32_t* moves, hn::Vec<Integers> point,
                              const Real (&extra)[8]) {
  const Reals d;
  const Integers di;
  const auto four = hn::GatherIndex(di, moves, hn::ShiftRight<2>(point));
  const auto at = hn::ShiftLeft<3>(hn::And(point, hn::Set(di, 3)));
  const auto allowed = hn::And(hn::Shr(four, at), hn::Set(di, 255));
  const auto none = hn::Set(d, 3.0e38f);
  auto least = none;
  for (std::size_t i = 0; i < 8; ++i) {
    const auto may = hn::RebindMask(d, hn::TestBit(allowed, hn::Set(di, 1 << i)));
    least = hn::Min(least, hn::IfThenElse(may, extra[i], none));
  }
  return hn::IfThenZeroElse(hn::RebindMask(d, hn::Eq(allowed, hn::Zero(di))), least);
}

// Of the cells from c on, at the scales and shifts from `at` on. Without `moves` every point is an
// entry.
HWY_INLINE void estimate_lanes(LatticeCells& cells, const std::int32_t* moves, std::size_t c,
                               std::size_t at) {
  const Reals d;
  const Integers di;
  const auto scale = hn::Load(d, cells.scale.data() + at);
  const auto shift = hn::Mul(scale, hn::Load(d, cells.shift.data() + at));
  auto sum = hn::Zero(d);
  auto point = hn::Zero(di);
  Real extra[8];
  for (std::size_t i = 0; i < 8; ++i) {
    const auto h = hn::Load(d, cells.h[i].data() + c);
    const auto x = hn::Sub(hn::Load(d, cells.x[i].data() + c), shift);
    const auto from_zero = hn::Abs(x);
    const auto from_one = hn::Sub(from_zero, scale);
    const auto off = hn::Min(from_zero, hn::Abs(from_one));
    sum = hn::Add(sum, hn::Mul(h, hn::Mul(off, off)));
    const auto both = hn::Add(from_zero, from_one);  // the squares' difference over the scale
    extra[i] = hn::Mul(h, hn::Abs(both));
    const auto minus = hn::RebindMask(di, hn::Lt(x, hn::Zero(d)));
    const auto one = hn::RebindMask(di, hn::Gt(both, hn::Zero(d)));
    point = hn::Or(point, hn::IfThenElseZero(minus, hn::Set(di, 256 << i)));
    point = hn::Or(point, hn::IfThenElseZero(one, hn::Set(di, 1 << i)));
  }
  if (moves != nullptr) sum = hn::Add(sum, hn::Mul(scale, cheapest_move(moves, point, extra)));
  hn::Store(sum, d, cells.cost.data() + at);
}

void estimate(LatticeCells& cells, const std::int32_t* moves) {
  const std::size_t stride = cells.stride();
  for (std::size_t t = 0; t < cells.trials; ++t) {
    for (std::size_t c = 0; c < stride; c += hn::Lanes(Reals()))
      estimate_lanes(cells, moves, c, t * stride + c);
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(estimate);

LatticeMoves::LatticeMoves(std::span<const std::uint16_t> codebook) : four_points(1 << 14) {
  std::vector<bool> entry(1 << 16);  // by digits 0, 1, 2 in two bits each
  const auto quarter = [](unsigned pattern) {
    return pattern % 3 | pattern / 3 % 3 << 2 | pattern / 9 % 3 << 4 | pattern / 27 << 6;
  };
  for (const unsigned digits : codebook)
    entry[quarter(digits & 0xFF) | quarter(digits >> 8) << 8] = true;
  const auto is_entry = [&](unsigned minus, unsigned ones) {
    unsigned digits = 0;
    for (unsigned i = 0; i < 8; ++i) {
      const unsigned digit = (ones >> i & 1) == 0 ? 1 : (minus >> i & 1) != 0 ? 0 : 2;
      digits |= digit << 2 * i;
    }
    return static_cast<bool>(entry[digits]);
  };
  for (unsigned point = 0; point < 1 << 16; ++point) {
    const unsigned minus = point >> 8;
    const unsigned ones = point & 255;
    if (is_entry(minus, ones)) continue;
    unsigned moves = 0;
    for (unsigned i = 0; i < 8; ++i) moves |= is_entry(minus, ones ^ 1u << i) ? 1u << i : 0;
    if (moves == 0) moves = 255;
    four_points[point / 4] |= static_cast<std::int32_t>(moves << (point % 4 * 8));
  }
}

void lattice_estimate(const LatticeType& type, LatticeCells& cells) noexcept {
  HWY_DYNAMIC_DISPATCH(estimate)(cells, type.moves().four_points.data());
}

void lattice_least(LatticeCells& cells) noexcept { HWY_DYNAMIC_DISPATCH(estimate)(cells, nullptr); }

}  // namespace zp
#endif
