#include "number/integer.h"

#include <algorithm>
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

constexpr std::size_t kGroup = 8;  // of N bits are N whole bytes
constexpr std::size_t kRun = 8;    // groups at a time
constexpr int kMaxGroupBits = 8;

}  // namespace
}  // namespace zp
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// In a word of eight bytes with a code each, fields come together in pairs: of N bits, of 2 N, of
// 4 N. Several words stand side by side.

using D64 = hn::CappedTag<std::uint64_t, kRun>;
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

template <int N>
void pack(const std::int32_t* codes, std::size_t groups, std::byte* out) {
  const hn::CappedTag<std::uint32_t, kRun * kGroup> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<std::uint8_t, decltype(d)> narrow;
  HWY_ALIGN std::uint64_t words[kRun] = {};
  auto* const bytes = reinterpret_cast<std::uint8_t*>(words);
  for (std::size_t g = 0; g < groups; g += kRun) {
    const std::size_t run = std::min(kRun, groups - g);
    std::size_t i = 0;
    if constexpr (HWY_TARGET != HWY_SCALAR) {
      for (; i + hn::Lanes(d) <= run * kGroup; i += hn::Lanes(d)) {
        const auto wide = hn::BitCast(d, hn::LoadU(di, codes + i));
        hn::StoreU(hn::TruncateTo(narrow, wide), narrow, bytes + i);
      }
    }
    for (; i < run * kGroup; ++i) bytes[i] = static_cast<std::uint8_t>(codes[i]);
    for (std::size_t k = 0; k < kRun && N < 8; k += hn::Lanes(D64())) {
      const Words x = hn::Load(D64(), words + k);
      hn::Store(joined<4 * N, 4>(joined<2 * N, 2>(joined<N, 1>(x))), D64(), words + k);
    }
    for (std::size_t k = 0; k < run; ++k, out += N) std::memcpy(out, &words[k], N);
    codes += run * kGroup;
  }
}

/// flip: the top bit of signed codes, and 0 for others; flipped and taken off again it extends the
/// sign.
template <int N>
void unpack(const std::byte* in, std::size_t groups, std::int32_t flip, std::int32_t* codes) {
  const hn::CappedTag<std::int32_t, kRun * kGroup> d;
  const hn::Rebind<std::uint8_t, decltype(d)> narrow;
  const auto top = hn::Set(d, flip);
  HWY_ALIGN std::uint64_t words[kRun] = {};
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(words);
  for (std::size_t g = 0; g < groups; g += kRun) {
    const std::size_t run = std::min(kRun, groups - g);
    for (std::size_t k = 0; k < run; ++k, in += N) {
      words[k] = 0;
      std::memcpy(&words[k], in, N);
    }
    for (std::size_t k = 0; k < kRun && N < 8; k += hn::Lanes(D64())) {
      const Words x = hn::Load(D64(), words + k);
      hn::Store(parted<N, 1>(parted<2 * N, 2>(parted<4 * N, 4>(x))), D64(), words + k);
    }
    std::size_t i = 0;
    if constexpr (HWY_TARGET != HWY_SCALAR) {
      for (; i + hn::Lanes(d) <= run * kGroup; i += hn::Lanes(d)) {
        const auto low = hn::PromoteTo(d, hn::LoadU(narrow, bytes + i));
        hn::StoreU(hn::Sub(hn::Xor(low, top), top), d, codes + i);
      }
    }
    for (; i < run * kGroup; ++i) codes[i] = (bytes[i] ^ flip) - flip;
    codes += run * kGroup;
  }
}

template <int... I>
void pack_any(std::integer_sequence<int, I...>, int bits, const std::int32_t* codes,
              std::size_t groups, std::byte* out) {
  static constexpr std::array all = {pack<I + 1>...};
  all[static_cast<std::size_t>(bits - 1)](codes, groups, out);
}

template <int... I>
void unpack_any(std::integer_sequence<int, I...>, int bits, const std::byte* in, std::size_t groups,
                std::int32_t flip, std::int32_t* codes) {
  static constexpr std::array all = {unpack<I + 1>...};
  all[static_cast<std::size_t>(bits - 1)](in, groups, flip, codes);
}

void pack_groups(int bits, const std::int32_t* codes, std::size_t groups, std::byte* out) {
  pack_any(std::make_integer_sequence<int, kMaxGroupBits>(), bits, codes, groups, out);
}

void unpack_groups(int bits, const std::byte* in, std::size_t groups, std::int32_t flip,
                   std::int32_t* codes) {
  unpack_any(std::make_integer_sequence<int, kMaxGroupBits>(), bits, in, groups, flip, codes);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(pack_groups);
HWY_EXPORT(unpack_groups);

namespace {

// How many codes go in groups; the rest goes bit by bit.
std::size_t grouped(std::size_t count, int bits) {
  return bits <= kMaxGroupBits ? count / kGroup * kGroup : 0;
}

}  // namespace

void pack_bits(std::span<const std::int32_t> codes, int bits, std::byte* out) noexcept {
  const std::size_t fast = grouped(codes.size(), bits);
  if (fast > 0) HWY_DYNAMIC_DISPATCH(pack_groups)(bits, codes.data(), fast / kGroup, out);
  out += packed_bytes(static_cast<std::int64_t>(fast), bits);

  std::uint32_t pending = 0;
  int have = 0;
  for (const std::int32_t code : codes.subspan(fast)) {
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
  const std::size_t fast = grouped(codes.size(), bits);
  if (fast > 0) HWY_DYNAMIC_DISPATCH(unpack_groups)(bits, in, fast / kGroup, flip, codes.data());
  in += packed_bytes(static_cast<std::int64_t>(fast), bits);

  std::uint32_t pending = 0;
  int have = 0;
  for (std::int32_t& code : codes.subspan(fast)) {
    for (; have < bits; have += 8) pending |= static_cast<std::uint32_t>(*in++) << have;
    const auto low = static_cast<std::int32_t>(pending & ((1u << bits) - 1));
    code = (low ^ flip) - flip;
    pending >>= bits;
    have -= bits;
  }
}

}  // namespace zp
#endif
