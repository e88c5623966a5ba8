#include "number/integer.h"

#include <array>
#include <cstring>
#include <utility>

namespace zp {
namespace {

// Eight codes of up to eight bits fill N whole bytes: one word in a register.
constexpr std::size_t kGroup = 8;
constexpr int kMaxGroupBits = 8;

template <int N>
void pack_groups(const std::int32_t* codes, std::size_t groups, std::byte* out) noexcept {
  for (std::size_t g = 0; g < groups; ++g, codes += kGroup, out += N) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < kGroup; ++i) {
      const std::uint64_t low = static_cast<std::uint32_t>(codes[i]) & ((1u << N) - 1);
      word |= low << (i * N);
    }
    std::memcpy(out, &word, N);
  }
}

template <int N>
void unpack_groups(const std::byte* in, std::size_t groups, std::int32_t flip,
                   std::int32_t* codes) noexcept {
  for (std::size_t g = 0; g < groups; ++g, codes += kGroup, in += N) {
    std::uint64_t word = 0;
    std::memcpy(&word, in, N);
    for (std::size_t i = 0; i < kGroup; ++i) {
      const auto low = static_cast<std::int32_t>((word >> (i * N)) & ((1u << N) - 1));
      codes[i] = (low ^ flip) - flip;
    }
  }
}

struct GroupCode {
  void (*pack)(const std::int32_t*, std::size_t, std::byte*) noexcept;
  void (*unpack)(const std::byte*, std::size_t, std::int32_t, std::int32_t*) noexcept;
};

template <int... I>
constexpr std::array<GroupCode, sizeof...(I)> group_codes(std::integer_sequence<int, I...>) {
  return {{{pack_groups<I + 1>, unpack_groups<I + 1>}...}};
}
constexpr auto kGroupCodes = group_codes(std::make_integer_sequence<int, kMaxGroupBits>());

// How many codes the fast path takes; the rest goes bit by bit.
std::size_t grouped(std::size_t count, int bits) {
  return bits <= kMaxGroupBits ? count / kGroup * kGroup : 0;
}

}  // namespace

void pack_bits(std::span<const std::int32_t> codes, int bits, std::byte* out) noexcept {
  const std::size_t fast = grouped(codes.size(), bits);
  if (fast > 0)
    kGroupCodes[static_cast<std::size_t>(bits - 1)].pack(codes.data(), fast / kGroup, out);
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
  // Flipping the top bit and taking it off again extends the sign.
  const std::int32_t flip = is_signed ? 1 << (bits - 1) : 0;
  const std::size_t fast = grouped(codes.size(), bits);
  if (fast > 0) {
    kGroupCodes[static_cast<std::size_t>(bits - 1)].unpack(in, fast / kGroup, flip, codes.data());
  }
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
