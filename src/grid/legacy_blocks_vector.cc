// Vector code that makes 32-weight blocks, and the scalar functions it must agree with to the byte.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "grid/legacy_blocks.h"
#include "kernel/range.h"
#include "number/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/legacy_blocks_vector.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#ifndef ZP_GRID_LEGACY_BLOCKS_SCALAR
#define ZP_GRID_LEGACY_BLOCKS_SCALAR
namespace zp {
namespace {

constexpr std::size_t kWeights = 32;
constexpr float kFp16Largest = 65504.0f;

std::uint16_t stored_half(float v) noexcept {
  return float_to_fp16(std::clamp(v, -kFp16Largest, kFp16Largest));
}

// The format's parameters from a block's smallest and largest weight.
LegacyParams from_extremes(const LegacyLayout& layout, Range range, Floats w) noexcept {
  if (layout.has_min) {
    const float d = (range.hi - range.lo) / static_cast<float>(layout.levels());
    return legacy_params(fp16_to_float(stored_half(d)), fp16_to_float(stored_half(range.lo)), d,
                         range.lo);
  }
  if (layout.bits == 8) {
    const float d = std::max(range.hi, -range.lo) / 127.0f;
    return legacy_params(fp16_to_float(stored_half(d)), 0, d, 0);
  }
  float largest = range.hi > -range.lo ? range.hi : range.lo;
  if (range.hi == -range.lo) {  // the first of the two decides the sign
    largest = *std::find_if(w.begin(), w.end(), [&](float x) { return std::fabs(x) == range.hi; });
  }
  const float d = largest / static_cast<float>(layout.lowest());
  return legacy_params(fp16_to_float(stored_half(d)), 0, d, 0);
}

std::byte* store_half(float v, std::byte* out) noexcept {
  const std::uint16_t bits = float_to_fp16(v);
  std::memcpy(out, &bits, sizeof bits);
  return out + sizeof bits;
}

// Bytes before the codes: d, then m.
std::byte* pack_scales(const LegacyLayout& layout, const LegacyParams& p, std::byte* out) noexcept {
  out = store_half(p.d, out);
  return layout.has_min ? store_half(p.m, out) : out;
}

}  // namespace
}  // namespace zp
#endif  // ZP_GRID_LEGACY_BLOCKS_SCALAR

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, 16>;

Range block_range(const float* w) {
  const Tag d;
  auto lo = hn::LoadU(d, w);
  auto hi = lo;
  for (std::size_t i = hn::Lanes(d); i < kWeights; i += hn::Lanes(d)) {
    const auto v = hn::LoadU(d, w + i);
    lo = hn::Min(lo, v);
    hi = hn::Max(hi, v);
  }
  return {hn::GetLane(hn::MinOfLanes(d, lo)) + 0.0f, hn::GetLane(hn::MaxOfLanes(d, hi)) + 0.0f};
}

// Signed bytes as Q8_0 stores them.
void quantize_bytes(const LegacyParams& p, const float* w, std::byte* out) {
  const Tag d;
  const hn::Rebind<std::int32_t, Tag> di;
  const hn::Rebind<std::int8_t, Tag> db;
  const auto inverse = hn::Set(d, p.inverse);
  const auto half = hn::Set(d, 0.5f);
  for (std::size_t i = 0; i < kWeights; i += hn::Lanes(d)) {
    const auto scaled = hn::Mul(hn::LoadU(d, w + i), inverse);
    const auto whole = hn::Trunc(scaled);
    const auto rest = hn::Sub(scaled, whole);
    const auto away = hn::CopySign(hn::Set(d, 1.0f), rest);
    const auto rounded = hn::Add(whole, hn::IfThenElseZero(hn::Ge(hn::Abs(rest), half), away));
    const auto clamped = hn::Min(hn::Max(rounded, hn::Set(d, -127.0f)), hn::Set(d, 127.0f));
    hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(di, clamped)), db,
               reinterpret_cast<std::int8_t*>(out) + i);
  }
}

// 4- and 5-bit codes: one byte each, then folded.
void quantize_nibbles(const LegacyLayout& layout, const LegacyParams& p, const float* w,
                      std::byte* out) {
  const Tag d;
  const hn::Rebind<std::int32_t, Tag> di;
  const hn::Rebind<std::uint8_t, Tag> db;
  HWY_ALIGN std::uint8_t code[kWeights];
  const auto origin = hn::Set(d, p.origin);
  const auto inverse = hn::Set(d, p.inverse);
  const auto shift = hn::Set(d, static_cast<float>(layout.bias()) + 0.5f);
  const auto top = hn::Set(d, static_cast<float>(layout.levels()));
  for (std::size_t i = 0; i < kWeights; i += hn::Lanes(d)) {
    const auto scaled = hn::Mul(hn::Sub(hn::LoadU(d, w + i), origin), inverse);
    const auto shifted = hn::Min(hn::Max(hn::Add(scaled, shift), hn::Zero(d)), top);
    hn::Store(hn::DemoteTo(db, hn::ConvertTo(di, shifted)), db, code + i);  // ConvertTo truncates
  }
  const hn::FixedTag<std::uint8_t, 16> b;
  const auto low = hn::Load(b, code);
  const auto high = hn::Load(b, code + 16);
  if (layout.bits == 5) {
    const auto fifth = hn::Set(b, std::uint8_t{16});
    std::uint8_t bits[16] = {};  // StoreMaskBits may write 8
    hn::StoreMaskBits(b, hn::Ne(hn::And(low, fifth), hn::Zero(b)), bits);
    hn::StoreMaskBits(b, hn::Ne(hn::And(high, fifth), hn::Zero(b)), bits + 2);
    std::memcpy(out, bits, 4);
    out += 4;
  }
  const auto nibble = hn::Set(b, std::uint8_t{15});
  const auto folded = hn::Or(hn::And(low, nibble), hn::ShiftLeft<4>(hn::And(high, nibble)));
  hn::StoreU(folded, b, reinterpret_cast<std::uint8_t*>(out));
}

void quantize_row(const LegacyLayout& layout, Floats w, std::span<const LegacyParams> params,
                  std::byte* out) {
  for (std::size_t b = 0; b < w.size(); b += kWeights, out += layout.bytes()) {
    const float* block = w.data() + b;
    const LegacyParams p = params.empty()
                               ? from_extremes(layout, block_range(block), w.subspan(b, kWeights))
                               : params[b / kWeights];
    std::byte* codes = pack_scales(layout, p, out);
    if (layout.bits == 8) {
      quantize_bytes(p, block, codes);
    } else {
      quantize_nibbles(layout, p, block, codes);
    }
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(quantize_row);

LegacyParams legacy_params(float d, float m, float scale, float origin) noexcept {
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  // A scale too small to invert decodes to nothing anyway.
  return {d, m, std::isfinite(inverse) ? inverse : 0.0f, origin};
}

LegacyParams legacy_range(const LegacyLayout& layout, Floats w) noexcept {
  return from_extremes(layout, min_max(w), w);
}

void legacy_pack(const LegacyLayout& layout, const LegacyParams& p, std::span<const Code> codes,
                 std::byte* out) noexcept {
  out = pack_scales(layout, p, out);
  if (layout.bits == 8) {
    for (std::size_t j = 0; j < kWeights; ++j) out[j] = static_cast<std::byte>(codes[j]);
    return;
  }
  const auto stored = [&](std::size_t j) {
    return static_cast<std::uint32_t>(codes[j] + layout.bias());
  };
  if (layout.bits == 5) {
    std::uint32_t fifth = 0;
    for (std::size_t j = 0; j < kWeights; ++j) fifth |= (stored(j) >> 4) << j;
    std::memcpy(out, &fifth, sizeof fifth);
    out += sizeof fifth;
  }
  for (std::size_t j = 0; j < kWeights / 2; ++j) {
    out[j] = static_cast<std::byte>((stored(j) & 15) | (stored(j + 16) & 15) << 4);
  }
}

void legacy_quantize(const LegacyLayout& layout, Floats w, std::span<const LegacyParams> params,
                     std::byte* out) noexcept {
  HWY_DYNAMIC_DISPATCH(quantize_row)(layout, w, params, out);
}

}  // namespace zp
#endif
