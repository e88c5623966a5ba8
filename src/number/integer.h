// Integers of 2 to 16 bits: ranges, rounding to them, and streams of N-bit codes.
//
// A stream holds codes one after another, least significant bit first, little-endian, without
// gaps; what is left of the last byte is zero. Signed codes are two's complement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace zp {

struct IntFormat {
  int bits = 8;
  bool is_signed = true;

  constexpr std::int32_t lowest() const { return is_signed ? -(1 << (bits - 1)) : 0; }
  constexpr std::int32_t highest() const { return (1 << (is_signed ? bits - 1 : bits)) - 1; }
  std::string name() const { return (is_signed ? "int" : "uint") + std::to_string(bits); }
};

inline constexpr int kMinIntBits = 2;
inline constexpr int kMaxIntBits = 16;

/// The one rounding rule: to the nearest integer, ties to the even one; NaN and zero's sign stay.
/// Adding a power of two that leaves no bits for a fraction makes the adder do it.
constexpr float round_half_even(float x) noexcept {
  const float magnitude = __builtin_fabsf(x);
  if (!(magnitude < 0x1p23f)) return x;
  return __builtin_copysignf((magnitude + 0x1p23f) - 0x1p23f, x);
}
constexpr double round_half_even(double x) noexcept {
  const double magnitude = __builtin_fabs(x);
  if (!(magnitude < 0x1p52)) return x;
  return __builtin_copysign((magnitude + 0x1p52) - 0x1p52, x);
}

/// x rounded half to even and clamped to [lowest, highest]; NaN gives lowest.
constexpr std::int32_t nearest_int(float x, std::int32_t lowest, std::int32_t highest) noexcept {
  if (!(x > static_cast<float>(lowest))) return lowest;
  if (x >= static_cast<float>(highest)) return highest;
  return static_cast<std::int32_t>(round_half_even(x));
}

/// Bytes of a stream of `count` codes.
constexpr std::int64_t packed_bytes(std::int64_t count, int bits) { return (count * bits + 7) / 8; }

/// bits: 1 to 16; higher bits of a code are dropped. out: packed_bytes(codes.size(), bits) bytes.
void pack_bits(std::span<const std::int32_t> codes, int bits, std::byte* out) noexcept;
/// in: packed_bytes(codes.size(), bits) bytes. `is_signed` extends the sign.
void unpack_bits(const std::byte* in, int bits, bool is_signed,
                 std::span<std::int32_t> codes) noexcept;

}  // namespace zp
