#include "number/integer.h"

#include <array>
#include <cstring>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "number/integer.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
// After foreach_target.h.
#include <hwy/highway.h>

#ifndef ZP_NUMBER_INTEGER_ONCE
#define ZP_NUMBER_INTEGER_ONCE
namespace zp {
namespace {

constexpr std::size_t kGroup = 8;       // of N bits are N whole bytes
constexpr std::size_t kMostGroups = 8;  // at a time, each a word
constexpr int kMaxGroupBits = 8;

}  // namespace
}  // namespace zp
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// In a word of eight bytes with a code each, fields come together in pairs: of N bits, of 2 N, of
// 4 N. Several words stand side by side.

using D64 = hn::CappedTag<std::uint64_t, kMostGroups>;
using Words = hn::Vec<D64>;

/// Ones where fields of N bits lie, one in every two of Bytes bytes; they begin at `first`.
template <int N, int Bytes>
HWY_INLINE Words every_other(int first) {
  std::uint64_t mask = 0;
  for (int i = first; i < 64; i += 16 * Bytes) mask |= ((std::uint64_t{1} << N) - 1) << i;
  return hn::Set(D64(), mask);
}

/// Of two fields of N bits in Bytes bytes each, one of 2 N bits in twice as many bytes.
template <int N, int Bytes>
HWY_INLINE Words joined(Words x) {
  constexpr int kGap = 8 * Bytes - N;
  return hn::Or(hn::And(x, every_other<N, Bytes>(0)),
                hn::And(hn::ShiftRight<kGap>(x), every_other<N, Bytes>(N)));
}

/// Back from joined().
template <int N, int Bytes>
HWY_INLINE Words parted(Words x) {
  constexpr int kGap = 8 * Bytes - N;
  return hn::Or(hn::And(x, every_other<N, Bytes>(0)),
                hn::And(hn::ShiftLeft<kGap>(x), every_other<N, Bytes>(8 * Bytes)));
}

/// The lowest bytes of the codes of as many groups as there are words.
HWY_INLINE Words bytes_of(const std::int32_t* codes) {
  const hn::Repartition<std::uint32_t, D64> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<std::uint8_t, decltype(d)> quarter;
  const hn::Twice<decltype(quarter)> half;
  const hn::Twice<decltype(half)> whole;
  const auto part = [&](std::size_t i) {
    return hn::TruncateTo(quarter, hn::BitCast(d, hn::LoadU(di, codes + i * hn::Lanes(d))));
  };
  const auto low = hn::Combine(half, part(1), part(0));
  return hn::BitCast(D64(), hn::Combine(whole, hn::Combine(half, part(3), part(2)), low));
}

/// Groups of N bytes, a word each. As numbers where N bytes are one: a vector that was written in
/// pieces is slow to read at once.
template <int N>
HWY_INLINE Words load_groups(const std::byte* in) {
  const auto* const from = reinterpret_cast<const std::uint8_t*>(in);
  if constexpr (N == 8) {
    const hn::Repartition<std::uint8_t, D64> bytes;
    return hn::BitCast(D64(), hn::LoadU(bytes, from));
  } else if constexpr (N == 4) {
    const hn::Rebind<std::uint32_t, D64> numbers;
    const hn::Repartition<std::uint8_t, decltype(numbers)> bytes;
    return hn::PromoteTo(D64(), hn::BitCast(numbers, hn::LoadU(bytes, from)));
  } else {
    HWY_ALIGN std::uint64_t words[kMostGroups] = {};
    for (std::size_t k = 0; k < hn::Lanes(D64()); ++k, in += N) std::memcpy(&words[k], in, N);
    return hn::Load(D64(), words);
  }
}

template <int N>
HWY_INLINE void store_groups(Words x, std::byte* out) {
  HWY_ALIGN std::uint64_t words[kMostGroups];
  hn::Store(x, D64(), words);
  for (std::size_t k = 0; k < hn::Lanes(D64()); ++k, out += N) std::memcpy(out, &words[k], N);
}

template <int N>
HWY_INLINE Words joined_bytes(Words x) {
  if constexpr (N == 8) return x;
  return joined<4 * N, 4>(joined<2 * N, 2>(joined<N, 1>(x)));
}

template <int N>
HWY_INLINE Words parted_bytes(Words x) {
  if constexpr (N == 8) return x;
  return parted<N, 1>(parted<2 * N, 2>(parted<4 * N, 4>(x)));
}

// Of `groups` groups as many as fill vectors; returns how many.

template <int N>
std::size_t pack(const std::int32_t* codes, std::size_t groups, std::byte* out) {
  const std::size_t step = hn::Lanes(D64());
  std::size_t g = 0;
  for (; g + step <= groups; g += step, codes += step * kGroup, out += step * N)
    store_groups<N>(joined_bytes<N>(bytes_of(codes)), out);
  return g;
}

/// flip: the top bit of signed codes, and 0 for others; flipped and taken off again it extends the
/// sign.
template <int N>
std::size_t unpack(const std::byte* in, std::size_t groups, std::int32_t flip,
                   std::int32_t* codes) {
  const hn::Repartition<std::int32_t, D64> d;
  const hn::Rebind<std::uint8_t, decltype(d)> quarter;
  const auto top = hn::Set(d, flip);
  const std::size_t step = hn::Lanes(D64());
  HWY_ALIGN std::uint64_t words[kMostGroups];
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(words);
  std::size_t g = 0;
  for (; g + step <= groups; g += step, in += step * N) {
    hn::Store(parted_bytes<N>(load_groups<N>(in)), D64(), words);
    for (std::size_t i = 0; i < step * kGroup; i += hn::Lanes(d), codes += hn::Lanes(d)) {
      const auto low = hn::PromoteTo(d, hn::LoadU(quarter, bytes + i));
      hn::StoreU(hn::Sub(hn::Xor(low, top), top), d, codes);
    }
  }
  return g;
}

template <int... I>
std::size_t pack_any(std::integer_sequence<int, I...>, int bits, const std::int32_t* codes,
                     std::size_t groups, std::byte* out) {
  static constexpr std::array all = {pack<I + 1>...};
  return all[static_cast<std::size_t>(bits - 1)](codes, groups, out);
}

template <int... I>
std::size_t unpack_any(std::integer_sequence<int, I...>, int bits, const std::byte* in,
                       std::size_t groups, std::int32_t flip, std::int32_t* codes) {
  static constexpr std::array all = {unpack<I + 1>...};
  return all[static_cast<std::size_t>(bits - 1)](in, groups, flip, codes);
}

std::size_t pack_groups(int bits, const std::int32_t* codes, std::size_t groups, std::byte* out) {
  return pack_any(std::make_integer_sequence<int, kMaxGroupBits>(), bits, codes, groups, out);
}

std::size_t unpack_groups(int bits, const std::byte* in, std::size_t groups, std::int32_t flip,
                          std::int32_t* codes) {
  return unpack_any(std::make_integer_sequence<int, kMaxGroupBits>(), bits, in, groups, flip,
                    codes);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(pack_groups);
HWY_EXPORT(unpack_groups);

void pack_bits(std::span<const std::int32_t> codes, int bits, std::byte* out) noexcept {
  std::size_t done = 0;
  if (bits <= kMaxGroupBits) {
    done = HWY_DYNAMIC_DISPATCH(pack_groups)(bits, codes.data(), codes.size() / kGroup, out);
    out += static_cast<std::int64_t>(done) * bits;
  }

  std::uint32_t pending = 0;
  int have = 0;
  for (const std::int32_t code : codes.subspan(done * kGroup)) {
    pending |= (static_cast<std::uint32_t>(code) & ((1u << bits) - 1)) << have;
    for (have += bits; have >= 8; have -= 8, pending >>= 8) {
      *out++ = static_cast<std::byte>(pending & 0xFF);
    }
  }
  if (have > 0) *out = static_cast<std::byte>(pending & 0xFF);
}

void unpack_bits(const std::byte* in, int bits, bool is_signed,
                 std::span<std::int32_t> codes) noexcept {
  const std::int32_t flip = is_signed ? 1 << (bits - 1) : 0;
  std::size_t done = 0;
  if (bits <= kMaxGroupBits) {
    done = HWY_DYNAMIC_DISPATCH(unpack_groups)(bits, in, codes.size() / kGroup, flip, codes.data());
    in += static_cast<std::int64_t>(done) * bits;
  }

  std::uint32_t pending = 0;
  int have = 0;
  for (std::int32_t& code : codes.subspan(done * kGroup)) {
    for (; have < bits; have += 8) pending |= static_cast<std::uint32_t>(*in++) << have;
    const auto low = static_cast<std::int32_t>(pending & ((1u << bits) - 1));
    code = (low ^ flip) - flip;
    pending >>= bits;
    have -= bits;
  }
}

}  // namespace zp
#endif
