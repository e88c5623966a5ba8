// Super-blocks read: decoded, and multiplied as they are. Vector code alone, made for each layout;
// what it must give is x = scale level - min (super_blocks.h), each operation rounded.
#include <utility>

#include "grid/super_blocks_layouts.h"
#include "grid/super_blocks_scales.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/super_blocks_decode.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "grid/packed_levels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The block of kSuperLayouts[kType].
template <std::size_t kType>
struct SuperBlock {
  static constexpr const SuperLayout& kLayout = kSuperLayouts[kType];
  static constexpr auto kWeights = static_cast<std::size_t>(kLayout.weights());
  static constexpr auto kBytes = static_cast<std::size_t>(kLayout.bytes);
  static constexpr auto kUnit = static_cast<std::size_t>(kLayout.unit);

  template <class F>
  static HWY_INLINE void each_sixteen(const std::byte* in, const F& f) {
    HWY_ALIGN float scale[kSuperUnits];
    HWY_ALIGN float min[kSuperUnits];
    const float d = half_at(in + kLayout.d_at);
    if constexpr (kLayout.units == 1) {
      scale[0] = d;
    } else {
      const SuperScales stored = unpack_scales<kLayout.scales>(in + kLayout.scales_at);
      unit_floats(stored.scale, kLayout.scale_bias, d, scale);
      if constexpr (kLayout.has_min()) {
        unit_floats(stored.min, 0, half_at(in + kLayout.dmin_at), min);
      }
    }
    sixteens(std::make_index_sequence<kWeights / kLanes>(), in, scale, min, f);
  }

 private:
  template <std::size_t... kAt, class F>
  static HWY_INLINE void sixteens(std::index_sequence<kAt...>, const std::byte* in,
                                  const float* scale, const float* min, const F& f) {
    (sixteen<kAt * kLanes>(in, scale, min, f), ...);
  }

  /// The sixteen weights from kAt on.
  template <std::size_t kAt, class F>
  static HWY_INLINE void sixteen(const std::byte* in, const float* scale, const float* min,
                                 const F& f) {
    constexpr std::size_t unit = kAt / kUnit;
    const V16 s = hn::Set(D16(), scale[unit]);
    V16 v[kVectors];
    if constexpr (kLayout.has_min()) {
      const V16 m = hn::Set(D16(), min[unit]);
      from_codes<kAt>(
          in, [&](V16 level) { return hn::Sub(hn::Mul(s, level), m); }, v);
    } else {
      from_codes<kAt>(
          in, [&](V16 level) { return hn::Mul(s, level); }, v);
    }
    f(kAt, v);
  }

  template <std::size_t kAt, class F>
  static HWY_INLINE void from_codes(const std::byte* in, const F& f, V16 (&v)[kVectors]) {
    if constexpr (kLayout.codes == 16) {
      static constexpr NibbleLevels kLevels = nibble_levels([](int code) {
        return kLayout.has_table() ? static_cast<int>(kIq4Levels[static_cast<std::size_t>(code)])
                                   : kLayout.lowest + code;
      });
      constexpr Place place = place_of<kAt>(0);
      from_nibbles<kLevels, place.shift != 0>(in + place.at, f, v);
    } else {
      from_levels(levels<kAt>(in), f, v);
    }
  }

  template <std::size_t kAt>
  static HWY_INLINE Levels levels(const std::byte* in) {
    const Sixteen8 d;
    auto codes = field<kAt, 0>(in);
    if constexpr (kLayout.fields[1].bits > 0) codes = hn::Or(codes, field<kAt, 1>(in));
    return hn::Add(hn::BitCast(d, codes), hn::Set(d, static_cast<std::int8_t>(kLayout.lowest)));
  }

  /// Sixteen bytes, and from which bit of each.
  struct Place {
    std::size_t at;
    int shift;
  };
  template <std::size_t kAt>
  static constexpr Place place_of(std::size_t field) {
    const CodeField& f = kLayout.fields[field];
    const auto stride = static_cast<std::size_t>(f.stride);
    const std::size_t run = stride * 8 / static_cast<std::size_t>(f.bits);
    return {static_cast<std::size_t>(f.at) + kAt / run * stride + kAt % stride,
            static_cast<int>(kAt % run / stride) * f.bits};
  }

  /// What field kField holds of the codes from kAt on.
  template <std::size_t kAt, std::size_t kField>
  static HWY_INLINE hn::Vec<SixteenU8> field(const std::byte* in) {
    constexpr CodeField f = kLayout.fields[kField];
    constexpr Place place = place_of<kAt>(kField);
    const auto bytes = sixteen_bytes(in + place.at);
    const auto mask =
        hn::Set(SixteenU8(), static_cast<std::uint8_t>(((1 << f.bits) - 1) << f.shift));
    return hn::And(moved<place.shift - f.shift>(bytes), mask);
  }

  /// Bits of each byte kBits down (up if negative); what comes from its neighbours isn't cleared.
  template <int kBits>
  static HWY_INLINE hn::Vec<SixteenU8> moved(hn::Vec<SixteenU8> v) {
    const hn::Repartition<std::uint16_t, SixteenU8> wide;
    if constexpr (kBits > 0) {
      return hn::BitCast(SixteenU8(), hn::ShiftRight<kBits>(hn::BitCast(wide, v)));
    } else if constexpr (kBits < 0) {
      return hn::BitCast(SixteenU8(), hn::ShiftLeft<-kBits>(hn::BitCast(wide, v)));
    } else {
      return v;
    }
  }

  /// to[u] = d (stored[u] - bias).
  static HWY_INLINE void unit_floats(const std::array<std::uint64_t, 2>& stored, int bias, float d,
                                     float* to) {
    const Sixteen8 d8;
    const hn::Repartition<std::uint64_t, Sixteen8> words;
    const auto bytes = hn::BitCast(
        d8, hn::InterleaveLower(words, hn::Set(words, stored[0]), hn::Set(words, stored[1])));
    const auto numbers = hn::Sub(bytes, hn::Set(d8, static_cast<std::int8_t>(bias)));
    V16 v[kVectors];
    from_levels(
        numbers, [&](V16 number) { return hn::Mul(hn::Set(D16(), d), number); }, v);
    for (std::size_t i = 0; i < kVectors; ++i) hn::Store(v[i], D16(), to + i * kVectorLanes);
  }
};

/// f(SuperBlock<...>()) of the layout.
template <std::size_t kType = 0, class F>
HWY_INLINE void with_block(const SuperLayout& layout, const F& f) {
  if constexpr (kType < kSuperLayouts.size()) {
    if (kSuperLayouts[kType].name == layout.name) return f(SuperBlock<kType>());
    with_block<kType + 1>(layout, f);
  }
}

void decode(const SuperLayout& layout, const std::byte* in, std::span<float> out) {
  with_block(layout, [&](auto block) { decode_packed<decltype(block)>(in, out); });
}

void products(const SuperLayout& layout, const std::byte* in, Floats x, std::span<float> out) {
  with_block(layout, [&](auto block) { packed_row<decltype(block)>(x, in, out); });
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(decode);
HWY_EXPORT(products);

void super_decode(const SuperLayout& layout, const std::byte* in, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(decode)(layout, in, out);
}

void super_products(const SuperLayout& layout, const std::byte* in, Floats x,
                    std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(products)(layout, in, x, out);
}

}  // namespace zp
#endif
