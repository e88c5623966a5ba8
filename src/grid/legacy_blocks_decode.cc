// Blocks of 32 read: decoded, and multiplied as they are. Vector code alone; what it must give is
// r = d q + m (legacy_blocks.h), each operation rounded.
#include <cstring>

#include "grid/legacy_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/legacy_blocks_decode.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "grid/packed_levels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <int kBits, bool kHasMin>
struct LegacyBlock {
  static constexpr LegacyLayout kLayout{kBits, kHasMin};
  static constexpr std::size_t kWeights = 32;
  static constexpr std::size_t kBytes = kLayout.bytes();

  template <class F>
  static HWY_INLINE void each_sixteen(const std::byte* in, const F& f) {
    const V16 scale = hn::Set(D16(), half_at(in));
    const V16 min = kHasMin ? hn::Set(D16(), half_at(in + 2)) : hn::Zero(D16());
    in += kHasMin ? 4 : 2;
    const auto value = [&](V16 level) { return hn::Add(hn::Mul(level, scale), min); };
    V16 v[kVectors];
    if constexpr (kBits == 4) {
      static constexpr NibbleLevels kLevels =
          nibble_levels([](int code) { return code - kLayout.bias(); });
      from_nibbles<kLevels, false>(in, value, v);
      f(0, v);
      from_nibbles<kLevels, true>(in, value, v);
      f(16, v);
    } else {
      from_levels(levels<0>(in), value, v);
      f(0, v);
      from_levels(levels<16>(in), value, v);
      f(16, v);
    }
  }

 private:
  /// Those from kAt on, of codes that aren't nibbles alone.
  template <std::size_t kAt>
  static HWY_INLINE Levels levels(const std::byte* in) {
    const Sixteen8 d;
    if constexpr (kBits == 8) return hn::BitCast(d, sixteen_bytes(in + kAt));
    const auto folded = sixteen_bytes(in + 4);
    const auto nibbles = kAt == 0 ? hn::And(folded, hn::Set(SixteenU8(), std::uint8_t{15}))
                                  : hn::ShiftRight<4>(folded);
    const auto codes = hn::Or(nibbles, fifth_bits(in + kAt / 8));
    return hn::Sub(hn::BitCast(d, codes), hn::Set(d, static_cast<std::int8_t>(kLayout.bias())));
  }

  /// Sixteen bits at `in` as bytes of 16 or 0.
  static HWY_INLINE hn::Vec<SixteenU8> fifth_bits(const std::byte* in) {
    const SixteenU8 d;
    std::uint8_t bits[8] = {};  // LoadMaskBits may read eight
    std::memcpy(bits, in, 2);
    return hn::IfThenElseZero(hn::LoadMaskBits(d, bits), hn::Set(d, std::uint8_t{16}));
  }
};

/// f(LegacyBlock<...>()) of the layout.
template <class F>
HWY_INLINE void with_block(const LegacyLayout& layout, const F& f) {
  if (layout.bits == 8) return f(LegacyBlock<8, false>());
  if (layout.bits == 5)
    return layout.has_min ? f(LegacyBlock<5, true>()) : f(LegacyBlock<5, false>());
  return layout.has_min ? f(LegacyBlock<4, true>()) : f(LegacyBlock<4, false>());
}

void decode(const LegacyLayout& layout, const std::byte* in, std::span<float> out) {
  with_block(layout, [&](auto block) { decode_packed<decltype(block)>(in, out); });
}

void products(const LegacyLayout& layout, const std::byte* in, Floats x, std::span<float> out) {
  with_block(layout, [&](auto block) { packed_row<decltype(block)>(x, in, out); });
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(decode);
HWY_EXPORT(products);

void legacy_decode(const LegacyLayout& layout, const std::byte* in, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(decode)(layout, in, out);
}

void legacy_products(const LegacyLayout& layout, const std::byte* in, Floats x,
                     std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(products)(layout, in, x, out);
}

}  // namespace zp
#endif
