// Vector code of the FP4 blocks. Scales: one unit a lane, so that sums run over a unit's weights in
// order and every vector width gives the same bits. Codes: weights side by side, each by itself.
//
// FP32 sums of 32 squares are off by less than 2^-18 of themselves (a difference, a square, a
// weight and 31 sums: 36 roundings of 2^-24): a scale is taken only where it gains 2^-17, so that
// it does gain.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "grid/fp4_blocks.h"

#ifndef ZP_GRID_FP4_BLOCKS_VECTOR_ONCE
#define ZP_GRID_FP4_BLOCKS_VECTOR_ONCE
namespace zp {
namespace {

/// Where a run of blocks goes, and how many bytes lie between one and the next.
struct Fp4Place {
  std::byte* codes;
  std::size_t codes_apart;
  std::byte* scales;
  std::size_t scales_apart;
};

}  // namespace
}  // namespace zp
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/fp4_blocks_vector.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, 16>;
using IntegerTag = hn::RebindToSigned<Tag>;
using V = hn::Vec<Tag>;
using VI = hn::Vec<IntegerTag>;

V power_of_two(VI exponent) {
  const IntegerTag di;
  return hn::BitCast(Tag(), hn::ShiftLeft<23>(hn::Add(exponent, hn::Set(di, 127))));
}

V scale_of(const Fp4Type& type, VI code) {
  const Tag d;
  const IntegerTag di;
  const auto bits = hn::Max(hn::ShiftLeftSame(code, type.shift), hn::Set(di, type.least));
  return hn::Mul(hn::BitCast(d, bits), hn::Set(d, type.factor));
}

// sum h (x - scale v)^2 under the nearest v. Between two middles every v costs the same, so halves
// may go either way here. Adding and taking away a large number rounds to its last place: 1 below
// 4, 2 below 8, else 4, as the values are spaced.
V cost_at(const Fp4Type& type, const Fp4Tile& tile, std::size_t g, V scale) {
  const Tag d;
  const IntegerTag di;
  const auto inverse =
      hn::IfThenElseZero(hn::Gt(scale, hn::Zero(d)), hn::Div(hn::Set(d, 1.0f), scale));
  const auto exponent_bits = hn::BitCast(d, hn::Set(di, 0x7F800000));
  auto sum = hn::Zero(d);
  for (std::size_t i = 0; i < type.unit; ++i) {
    const auto x = hn::Load(d, tile.x[i].data() + g);
    const auto y = hn::Min(hn::Mul(x, inverse), hn::Set(d, 12.0f));
    const auto large =
        hn::Max(hn::Mul(hn::And(y, exponent_bits), hn::Set(d, 0x0.Cp23f)), hn::Set(d, 0x1.8p23f));
    const auto v = hn::Sub(hn::Add(y, large), large);
    const auto off = hn::Sub(x, hn::Mul(scale, v));
    sum = hn::Add(sum, hn::Mul(hn::Load(d, tile.h[i].data() + g), hn::Mul(off, off)));
  }
  return sum;
}

// Tries the scales around the range's for one vector of units.
class Search {
 public:
  Search(const Fp4Type& type, Fp4Tile& tile, std::size_t g)
      : type_(type), tile_(tile), g_(g), start_(hn::Load(IntegerTag(), tile.code.data() + g)) {
    const Tag d;
    if (type.powers()) normalize();
    auto largest = hn::Zero(d);
    for (std::size_t i = 0; i < type.unit; ++i)
      largest = hn::Max(largest, hn::Load(d, tile.x[i].data() + g));
    lowest_ = hn::Mul(largest, hn::Set(d, 1.0f / 24));
    highest_ = hn::Mul(largest, hn::Set(d, 1.0f / 3));
    code_ = start_;
    least_ = cost_at(type, tile, g, scale(0));
  }

  void run() {
    for (std::int32_t step = -1; attempt(step); --step) {
    }
    for (std::int32_t step = 1; attempt(step); ++step) {
    }
    hn::Store(code_, IntegerTag(), tile_.code.data() + g_);
  }

 private:
  // Weights over the scale of the range: then every sum is far from the ends of FP32. In two exact
  // steps, for the inverse of the smallest scale is no FP32.
  void normalize() {
    const Tag d;
    const IntegerTag di;
    const auto n = hn::Sub(hn::Set(di, 128), start_);
    const auto half = hn::ShiftRight<1>(n);
    const auto first = power_of_two(half);
    const auto second = power_of_two(hn::Sub(n, half));
    for (std::size_t i = 0; i < type_.unit; ++i) {
      float* x = tile_.x[i].data() + g_;
      hn::Store(hn::Mul(hn::Mul(hn::Load(d, x), first), second), d, x);
    }
  }

  V scale(std::int32_t step) const {
    const IntegerTag di;
    if (type_.powers()) return power_of_two(hn::Set(di, step));
    return scale_of(type_, hn::Add(start_, hn::Set(di, step)));
  }

  // False once no unit has a scale to try there, and none further on.
  bool attempt(std::int32_t step) {
    const Tag d;
    const IntegerTag di;
    const auto code = hn::Add(start_, hn::Set(di, step));
    const auto s = scale(step);
    const auto stored =
        hn::And(hn::Gt(code, hn::Set(di, -1)), hn::Lt(code, hn::Set(di, type_.largest + 1)));
    const auto useful =
        hn::And(hn::And(hn::Ge(s, lowest_), hn::Le(s, highest_)), hn::Gt(s, hn::Zero(d)));
    const auto may = hn::And(hn::RebindMask(d, stored), useful);
    if (hn::AllFalse(d, may)) return false;
    const auto cost = cost_at(type_, tile_, g_, s);
    const auto enough = hn::Mul(least_, hn::Set(d, 1.0f - 0x1p-17f));
    const auto better = hn::And(may, hn::Lt(cost, enough));
    least_ = hn::IfThenElse(better, cost, least_);
    code_ = hn::IfThenElse(hn::RebindMask(di, better), code, code_);
    return true;
  }

  const Fp4Type& type_;
  Fp4Tile& tile_;
  std::size_t g_;
  VI start_, code_;
  V least_, lowest_, highest_;
};

void largest_of(const Fp4Type& type, const Fp4Tile& tile, float* largest) {
  const Tag d;
  for (std::size_t g = 0; g < tile.count; g += hn::Lanes(d)) {
    auto most = hn::Zero(d);
    for (std::size_t i = 0; i < type.unit; ++i)
      most = hn::Max(most, hn::Load(d, tile.x[i].data() + g));
    hn::Store(most, d, largest + g);
  }
}

void search_tile(const Fp4Type& type, Fp4Tile& tile) {
  for (std::size_t g = 0; g < tile.count; g += hn::Lanes(Tag())) Search(type, tile, g).run();
}

// One unit's codes, two in a byte: weight j and j + kHalf, or neighbours.
template <std::size_t kHalf>
void encode_unit(float scale, bool neighbours, const float* w, std::byte* out) {
  const Tag d;
  const hn::Rebind<std::int32_t, Tag> di;
  const hn::Rebind<std::uint8_t, Tag> db;
  HWY_ALIGN std::uint8_t code[2 * kHalf];
  const float over = fp4_middle_scale(scale);
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < 2 * kHalf; i += lanes) {
    const auto x = hn::LoadU(d, w + i);
    const auto magnitude = hn::Abs(x);
    auto sum = hn::Zero(d);
    for (const float middle : kFp4Middles) {
      const auto above = hn::Gt(magnitude, hn::Set(d, middle * over));
      sum = hn::Add(sum, hn::IfThenElseZero(above, hn::Set(d, 1.0f)));
    }
    const auto negative = hn::And(hn::Lt(x, hn::Zero(d)), hn::Gt(sum, hn::Zero(d)));
    sum = hn::Add(sum, hn::IfThenElseZero(negative, hn::Set(d, 8.0f)));
    hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(di, sum)), db, code + i);
  }
  if (neighbours) {
    for (std::size_t i = 0; i < kHalf; ++i)
      out[i] = static_cast<std::byte>(code[2 * i] | code[2 * i + 1] << 4);
    return;
  }
  const hn::FixedTag<std::uint8_t, kHalf> b;
  const auto folded = hn::Or(hn::LoadU(b, code), hn::ShiftLeft<4>(hn::LoadU(b, code + kHalf)));
  hn::StoreU(folded, b, reinterpret_cast<std::uint8_t*>(out));
}

// Unit u of a tile that begins at out: of a record the scales come first.
void encode_units(const Fp4Type& type, const Fp4Tile& tile, const float* w, const Fp4Place& out) {
  const std::size_t units = type.block / type.unit;
  for (std::size_t u = 0; u < tile.count; ++u) {
    const auto code = static_cast<std::uint8_t>(tile.code[u]);
    const std::size_t block = u / units, in_block = u % units;
    out.scales[block * out.scales_apart + in_block] = static_cast<std::byte>(code);
    std::byte* to = out.codes + block * out.codes_apart + in_block * type.unit / 2;
    if (type.unit == 32) {
      encode_unit<16>(type.scale(code), type.planes, w + u * type.unit, to);
    } else {
      encode_unit<8>(type.scale(code), type.planes, w + u * type.unit, to);
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(largest_of);
HWY_EXPORT(search_tile);
HWY_EXPORT(encode_units);

void Fp4Tile::set_importance(const Fp4Type& type, Floats importance) noexcept {
  for (std::size_t u = 0; u < count; ++u) {
    float most = 0;
    for (std::size_t i = 0; i < type.unit && !importance.empty(); ++i)
      most = std::max(most, importance[u * type.unit + i]);
    const int down = most > 0 ? -std::ilogb(most) : 0;
    for (std::size_t i = 0; i < type.unit; ++i)
      h[i][u] = importance.empty() ? 1.0f : std::ldexp(importance[u * type.unit + i], down);
  }
}

void Fp4Tile::set_weights(const Fp4Type& type, Floats w) noexcept {
  for (std::size_t u = 0; u < count; ++u) {
    for (std::size_t i = 0; i < type.unit; ++i) x[i][u] = std::fabs(w[u * type.unit + i]);
  }
}

namespace {

// Of the block that weight `at` begins, counted over all rows.
Fp4Place place_of(const Fp4Type& type, PlanesOut out, std::size_t at) {
  const std::size_t block = at / type.block, codes = type.block / 2, units = type.block / type.unit;
  if (type.planes) return {out[0] + block * codes, codes, out[1] + block * units, units};
  std::byte* record = out[0] + block * type.bytes();
  return {record + units, type.bytes(), record, type.bytes()};
}

}  // namespace

void fp4_fit(const Fp4Type& type, Fp4Tile& tile, Fit fit) noexcept {
  alignas(64) std::array<float, kFp4Units> largest{};
  HWY_DYNAMIC_DISPATCH(largest_of)(type, tile, largest.data());
  for (std::size_t u = 0; u < tile.count; ++u) tile.code[u] = type.range(largest[u]);
  if (fit == Fit::search) HWY_DYNAMIC_DISPATCH(search_tile)(type, tile);
}

void fp4_quantize(const Fp4Type& type, Matrix w, Floats h, Fit fit, PlanesOut out) noexcept {
  const auto cols = static_cast<std::size_t>(w.cols);
  for (std::size_t at = 0; at < cols; at += kFp4Units * type.unit) {
    Fp4Tile tile;
    tile.count = std::min(kFp4Units, (cols - at) / type.unit);
    const std::size_t weights = tile.count * type.unit;
    if (fit == Fit::search) tile.set_importance(type, h.empty() ? h : h.subspan(at, weights));
    for (std::int64_t r = 0; r < w.rows; ++r) {
      const Floats part = w.row(r).subspan(at, weights);
      tile.set_weights(type, part);
      fp4_fit(type, tile, fit);
      const Fp4Place to = place_of(type, out, static_cast<std::size_t>(r) * cols + at);
      HWY_DYNAMIC_DISPATCH(encode_units)(type, tile, part.data(), to);
    }
  }
}

}  // namespace zp
#endif
