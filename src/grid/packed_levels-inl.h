// What the vector code of packed grids shares: FP16 scales, and sixteen small whole numbers as
// FP32.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <array>
#include <cstring>

#include "kernel/packed_row-inl.h"
#include "number/half.h"
#include "number/small_float-inl.h"

#ifndef ZP_GRID_PACKED_LEVELS_ONCE
#define ZP_GRID_PACKED_LEVELS_ONCE
namespace zp {

/// The levels of 4-bit codes: small whole numbers.
struct NibbleLevels {
  alignas(64) std::array<float, 16> floats;
  alignas(16) std::array<std::int8_t, 16> bytes;
};

template <class Level>
constexpr NibbleLevels nibble_levels(const Level& level) {
  NibbleLevels all{};
  for (int code = 0; code < 16; ++code) {
    const auto i = static_cast<std::size_t>(code);
    all.floats[i] = static_cast<float>(level(code));
    all.bytes[i] = static_cast<std::int8_t>(level(code));
  }
  return all;
}

}  // namespace zp
#endif

#if defined(ZP_GRID_PACKED_LEVELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_GRID_PACKED_LEVELS_INL_H_
#undef ZP_GRID_PACKED_LEVELS_INL_H_
#else
#define ZP_GRID_PACKED_LEVELS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Sixteen8 = hn::FixedTag<std::int8_t, 16>;
using SixteenU8 = hn::FixedTag<std::uint8_t, 16>;
using Levels = hn::Vec<Sixteen8>;

/// The FP16 number at `in`, which may lie anywhere.
HWY_INLINE float half_at(const std::byte* in) {
  std::uint16_t half;
  std::memcpy(&half, in, sizeof half);
#if ZP_NATIVE_FP16
  const hn::CappedTag<float, 1> d;
  return hn::GetLane(
      widen_lanes<kFp16>(d, hn::Set(hn::Rebind<std::uint16_t, decltype(d)>(), half)));
#else
  return fp16_to_float(half);
#endif
}

HWY_INLINE hn::Vec<SixteenU8> sixteen_bytes(const std::byte* in) {
  return hn::LoadU(SixteenU8(), reinterpret_cast<const std::uint8_t*>(in));
}

/// f(level) of sixteen levels, as FP32: v[i] are those from i kVectorLanes on.
template <class F, class L>
HWY_INLINE void from_levels(L levels, const F& f, V16 (&v)[kVectors]) {
  const hn::RebindToSigned<D16> wide;
  if constexpr (kVectors == 1) {
    v[0] = f(hn::ConvertTo(D16(), hn::PromoteTo(wide, levels)));
  } else {
    const hn::Rebind<std::int8_t, D16> part;
    HWY_ALIGN std::int8_t all[kLanes];
    hn::Store(levels, Sixteen8(), all);
    for (std::size_t i = 0; i < kVectors; ++i) {
      v[i] = f(hn::ConvertTo(D16(), hn::PromoteTo(wide, hn::LoadU(part, all + i * kVectorLanes))));
    }
  }
}

/// f(level) of sixteen 4-bit codes, the low or the high halves of the bytes at `in`; kLevels says
/// which level a code is. Sixteen lanes look the value itself up, shorter vectors the level.
template <const NibbleLevels& kLevels, bool kHigh, class F, class D = D16>
HWY_INLINE void from_nibbles(const std::byte* in, const F& f, V16 (&v)[kVectors]) {
  const auto bytes = sixteen_bytes(in);
  if constexpr (kVectors == 1) {
    const D d;
    const hn::RebindToSigned<D> di;
    const auto codes = hn::PromoteTo(di, bytes);
    const auto index = kHigh ? hn::ShiftRight<4>(codes) : hn::And(codes, hn::Set(di, 15));
    const auto values = f(hn::Load(d, kLevels.floats.data()));
    v[0] = hn::TableLookupLanes(values, hn::IndicesFromVec(d, index));
  } else {
    const auto codes =
        kHigh ? hn::ShiftRight<4>(bytes) : hn::And(bytes, hn::Set(SixteenU8(), std::uint8_t{15}));
    const auto table = hn::Load(Sixteen8(), kLevels.bytes.data());
    from_levels(hn::TableLookupBytes(table, hn::BitCast(Sixteen8(), codes)), f, v);
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
