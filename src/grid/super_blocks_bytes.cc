// Where the bits of a super-block lie: see the table in super_blocks.cc. Codes move eight at a
// time: the same shift on each byte of a 64-bit word.
#include <cstring>

#include "grid/super_blocks.h"
#include "number/half.h"

namespace zp {
namespace {

std::uint64_t load_eight(const void* from) noexcept {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The lowest `bits` of each byte.
constexpr std::uint64_t each_byte(int bits) {
  return 0x0101010101010101ULL * ((std::uint64_t{1} << bits) - 1);
}

std::uint8_t byte_at(const std::byte* in, int i) noexcept {
  return std::to_integer<std::uint8_t>(in[i]);
}

void pack_field(const CodeField& f, int weights, const std::uint8_t* codes,
                std::byte* out) noexcept {
  const std::uint64_t mask = each_byte(f.bits);
  const int parts = 8 / f.bits;
  out += f.at;
  for (int run = 0; run < weights; run += f.stride * parts, out += f.stride) {
    for (int i = 0; i < f.stride; i += 8) {
      std::uint64_t word = 0;
      for (int part = 0; part < parts; ++part) {
        word |= (load_eight(codes + run + part * f.stride + i) >> f.shift & mask)
                << (part * f.bits);
      }
      std::memcpy(out + i, &word, sizeof word);
    }
  }
}

void unpack_field(const CodeField& f, int weights, const std::byte* in,
                  std::uint8_t* codes) noexcept {
  const std::uint64_t mask = each_byte(f.bits);
  const int parts = 8 / f.bits;
  in += f.at;
  for (int run = 0; run < weights; run += f.stride * parts, in += f.stride) {
    for (int i = 0; i < f.stride; i += 8) {
      const std::uint64_t word = load_eight(in + i);
      for (int part = 0; part < parts; ++part) {
        std::uint8_t* to = codes + run + part * f.stride + i;
        const std::uint64_t all = load_eight(to) | (word >> (part * f.bits) & mask) << f.shift;
        std::memcpy(to, &all, sizeof all);
      }
    }
  }
}

void store_half(float v, std::byte* out) noexcept {
  const std::uint16_t bits = float_to_fp16(v);
  std::memcpy(out, &bits, sizeof bits);
}

float load_half(const std::byte* in) noexcept {
  std::uint16_t bits;
  std::memcpy(&bits, in, sizeof bits);
  return fp16_to_float(bits);
}

unsigned whole(float v) noexcept { return static_cast<unsigned>(static_cast<int>(v)); }
std::byte to_byte(unsigned v) noexcept { return static_cast<std::byte>(v & 255u); }

}  // namespace

void super_pack(const SuperLayout& layout, const SuperParams& p, const std::uint8_t* codes,
                std::byte* out) noexcept {
  store_half(p.d, out + layout.d_at);
  if (layout.has_min()) store_half(p.dmin, out + layout.dmin_at);
  layout.pack_scales(p, out + layout.scales_at);
  for (const CodeField& f : layout.fields) {
    if (f.bits > 0) pack_field(f, layout.weights(), codes, out);
  }
}

void super_unpack(const SuperLayout& layout, const std::byte* in, SuperParams& p,
                  std::uint8_t* codes) noexcept {
  p = {};
  p.d = load_half(in + layout.d_at);
  if (layout.has_min()) p.dmin = load_half(in + layout.dmin_at);
  layout.unpack_scales(in + layout.scales_at, p);
  std::memset(codes, 0, static_cast<std::size_t>(layout.weights()));
  for (const CodeField& f : layout.fields) {
    if (f.bits > 0) unpack_field(f, layout.weights(), in, codes);
  }
}

void pack_scales_none(const SuperParams&, std::byte*) noexcept {}
void unpack_scales_none(const std::byte*, SuperParams& p) noexcept { p.scale[0] = 1; }

// Byte u: scale u in the low four bits, min u above.
void pack_scales_4_4(const SuperParams& p, std::byte* out) noexcept {
  for (std::size_t u = 0; u < 16; ++u) out[u] = to_byte(whole(p.scale[u]) | whole(p.min[u]) << 4);
}
void unpack_scales_4_4(const std::byte* in, SuperParams& p) noexcept {
  for (std::size_t u = 0; u < 16; ++u) {
    const auto both = std::to_integer<unsigned>(in[u]);
    p.scale[u] = static_cast<float>(both & 15);
    p.min[u] = static_cast<float>(both >> 4);
  }
}

// Scales and mins 0...3 in bytes 0...3 and 4...7; the low four bits of 4...7 in bytes 8...11 (scale
// low, min high), their upper two bits in bits 6, 7 of bytes 0...3 and 4...7.
void pack_scales_6_6(const SuperParams& p, std::byte* out) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    const unsigned scale = whole(p.scale[i + 4]);
    const unsigned min = whole(p.min[i + 4]);
    out[i] = to_byte(whole(p.scale[i]) | scale >> 4 << 6);
    out[i + 4] = to_byte(whole(p.min[i]) | min >> 4 << 6);
    out[i + 8] = to_byte((scale & 15) | (min & 15) << 4);
  }
}
void unpack_scales_6_6(const std::byte* in, SuperParams& p) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    const auto first = std::to_integer<unsigned>(in[i]);
    const auto second = std::to_integer<unsigned>(in[i + 4]);
    const auto third = std::to_integer<unsigned>(in[i + 8]);
    p.scale[i] = static_cast<float>(first & 63);
    p.min[i] = static_cast<float>(second & 63);
    p.scale[i + 4] = static_cast<float>((third & 15) | first >> 6 << 4);
    p.min[i + 4] = static_cast<float>(third >> 4 | second >> 6 << 4);
  }
}

// Scale + 32: the low four bits of u and u + 8 in byte u, the upper two of u in byte 8 + u % 4 from
// bit 2 (u / 4).
void pack_scales_6(const SuperParams& p, std::byte* out) noexcept {
  std::memset(out, 0, 12);
  for (std::size_t u = 0; u < 16; ++u) {
    const unsigned stored = whole(p.scale[u] + 32);
    out[u % 8] |= to_byte((stored & 15) << (u / 8 * 4));
    out[8 + u % 4] |= to_byte(stored >> 4 << (u / 4 * 2));
  }
}
void unpack_scales_6(const std::byte* in, SuperParams& p) noexcept {
  for (std::size_t u = 0; u < 16; ++u) {
    const auto low = std::to_integer<unsigned>(in[u % 8]) >> (u / 8 * 4) & 15;
    const auto high = std::to_integer<unsigned>(in[8 + u % 4]) >> (u / 4 * 2) & 3;
    p.scale[u] = static_cast<float>(low | high << 4) - 32;
  }
}

void pack_scales_8(const SuperParams& p, std::byte* out) noexcept {
  for (std::size_t u = 0; u < 16; ++u) out[u] = to_byte(whole(p.scale[u]));
}
void unpack_scales_8(const std::byte* in, SuperParams& p) noexcept {
  for (std::size_t u = 0; u < 16; ++u)
    p.scale[u] = static_cast<float>(static_cast<std::int8_t>(byte_at(in, static_cast<int>(u))));
}

// Scale + 32: the upper two bits of u in a 16-bit word from bit 2 u, then the low four of 2 i and
// 2 i + 1 in byte i.
void pack_scales_2_4(const SuperParams& p, std::byte* out) noexcept {
  std::uint16_t high = 0;
  for (std::size_t u = 0; u < 8; u += 2) {
    const unsigned even = whole(p.scale[u] + 32);
    const unsigned odd = whole(p.scale[u + 1] + 32);
    high = static_cast<std::uint16_t>(high | even >> 4 << (2 * u) | odd >> 4 << (2 * u + 2));
    out[2 + u / 2] = to_byte((even & 15) | (odd & 15) << 4);
  }
  std::memcpy(out, &high, sizeof high);
}
void unpack_scales_2_4(const std::byte* in, SuperParams& p) noexcept {
  std::uint16_t high;
  std::memcpy(&high, in, sizeof high);
  for (std::size_t u = 0; u < 8; ++u) {
    const auto low = std::to_integer<unsigned>(in[2 + u / 2]) >> (u % 2 * 4) & 15;
    p.scale[u] = static_cast<float>(low | (high >> (2 * u) & 3u) << 4) - 32;
  }
}

}  // namespace zp
