// Byte layouts and codebooks of IQ1, IQ2 and IQ3. All numbers little endian; c counts cells, u
// units.
//
//   IQ2_XXS  66  d | 8 x (4 entries of 8 bits, u32: 4 x 7 signs, l << 28)
//   IQ2_XS   74  d | 32 x u16: 9 bits entry, 7 signs << 9 | 8 bytes: l of unit u in half u % 2 of u
//   / 2 IQ2_S    82  d | 32 bytes: low 8 bits of entries | 32 bytes of signs | 8 bytes: high 2 bits
//   of
//                entry c at bit 2 (c % 4) of c / 4 | 8 bytes of l, as IQ2_XS
//   IQ3_XXS  98  d | 64 entries of 8 bits | 8 x u32: 4 x 7 signs, l << 28
//   IQ3_S   110  d | 64 bytes: low 8 bits of entries | 8 bytes: high bit of c at bit c % 8 of c / 8
//   |
//                32 bytes of signs | 4 bytes of l, as IQ2_XS
//   IQ1_S    50  d | 32 bytes: low 8 bits | 8 x u16: 4 x high 3 bits, l << 12, shift's sign << 15
//   IQ1_M    56  32 bytes: low 8 bits | 16 bytes: of c at half c % 2 of c / 2: high 3 bits, shift's
//                sign | 4 x u16: 4 x l of 3 bits, a quarter of d << 12, the lowest first
//
// Seven signs s stand for eight: the eighth is minus when an odd number of the seven is.
#include <bit>
#include <cstring>

#include "grid/lattice.h"

namespace zp {
namespace {

#include "grid/lattice_codebooks.inc"

template <class T>
T get(const std::byte* in, std::size_t index = 0) {
  T value;
  std::memcpy(&value, in + index * sizeof value, sizeof value);
  return value;
}
template <class T>
void put(T value, std::byte* out, std::size_t index = 0) {
  std::memcpy(out + index * sizeof value, &value, sizeof value);
}
unsigned byte(const std::byte* in, std::size_t index) {
  return std::to_integer<unsigned>(in[index]);
}
void put_byte(unsigned value, std::byte* out, std::size_t index) {
  out[index] = static_cast<std::byte>(value);
}

unsigned entry_of(Code code) { return static_cast<unsigned>(code) & 0xFFFF; }
unsigned signs_of(Code code) { return static_cast<unsigned>(code) >> 16; }
Code join(unsigned entry, unsigned signs) { return static_cast<Code>(entry | signs << 16); }
unsigned eight_signs(unsigned seven) {
  return seven | static_cast<unsigned>(std::popcount(seven) & 1) << 7;
}

void pack_nibbles(const LatticeRecord& r, std::size_t units, std::byte* out) {
  for (std::size_t u = 0; u < units; u += 2)
    put_byte(r.level[u] | static_cast<unsigned>(r.level[u + 1]) << 4, out, u / 2);
}
void unpack_nibbles(const std::byte* in, std::size_t units, LatticeRecord& r) {
  for (std::size_t u = 0; u < units; ++u)
    r.level[u] = static_cast<std::uint8_t>(byte(in, u / 2) >> (u % 2 * 4) & 15);
}

void pack_iq2_xxs(const LatticeRecord& r, std::byte* out) {
  put(r.d, out);
  for (std::size_t u = 0; u < 8; ++u) {
    std::byte* to = out + 2 + 8 * u;
    std::uint32_t word = static_cast<std::uint32_t>(r.level[u]) << 28;
    for (std::size_t k = 0; k < 4; ++k) {
      put_byte(entry_of(r.code[4 * u + k]), to, k);
      word |= (signs_of(r.code[4 * u + k]) & 127) << (7 * k);
    }
    put(word, to + 4);
  }
}
void unpack_iq2_xxs(const std::byte* in, LatticeRecord& r) {
  r.d = get<std::uint16_t>(in);
  for (std::size_t u = 0; u < 8; ++u) {
    const std::byte* from = in + 2 + 8 * u;
    const auto word = get<std::uint32_t>(from + 4);
    r.level[u] = static_cast<std::uint8_t>(word >> 28);
    for (std::size_t k = 0; k < 4; ++k)
      r.code[4 * u + k] = join(byte(from, k), eight_signs(word >> (7 * k) & 127));
  }
}

void pack_iq2_xs(const LatticeRecord& r, std::byte* out) {
  put(r.d, out);
  for (std::size_t c = 0; c < 32; ++c) {
    put(static_cast<std::uint16_t>(entry_of(r.code[c]) | (signs_of(r.code[c]) & 127) << 9), out + 2,
        c);
  }
  pack_nibbles(r, 16, out + 66);
}
void unpack_iq2_xs(const std::byte* in, LatticeRecord& r) {
  r.d = get<std::uint16_t>(in);
  for (std::size_t c = 0; c < 32; ++c) {
    const unsigned word = get<std::uint16_t>(in + 2, c);
    r.code[c] = join(word & 511, eight_signs(word >> 9));
  }
  unpack_nibbles(in + 66, 16, r);
}

void pack_iq2_s(const LatticeRecord& r, std::byte* out) {
  put(r.d, out);
  std::memset(out + 66, 0, 8);
  for (std::size_t c = 0; c < 32; ++c) {
    put_byte(entry_of(r.code[c]), out + 2, c);
    put_byte(signs_of(r.code[c]), out + 34, c);
    out[66 + c / 4] |= static_cast<std::byte>(entry_of(r.code[c]) >> 8 << (c % 4 * 2));
  }
  pack_nibbles(r, 16, out + 74);
}
void unpack_iq2_s(const std::byte* in, LatticeRecord& r) {
  r.d = get<std::uint16_t>(in);
  for (std::size_t c = 0; c < 32; ++c) {
    const unsigned high = byte(in + 66, c / 4) >> (c % 4 * 2) & 3;
    r.code[c] = join(byte(in + 2, c) | high << 8, byte(in + 34, c));
  }
  unpack_nibbles(in + 74, 16, r);
}

void pack_iq3_xxs(const LatticeRecord& r, std::byte* out) {
  put(r.d, out);
  for (std::size_t c = 0; c < 64; ++c) put_byte(entry_of(r.code[c]), out + 2, c);
  for (std::size_t u = 0; u < 8; ++u) {
    std::uint32_t word = static_cast<std::uint32_t>(r.level[u]) << 28;
    for (std::size_t k = 0; k < 4; ++k) {
      const Code* pair = r.code.data() + 8 * u + 2 * k;
      word |= ((signs_of(pair[0]) | signs_of(pair[1]) << 4) & 127) << (7 * k);
    }
    put(word, out + 66, u);
  }
}
void unpack_iq3_xxs(const std::byte* in, LatticeRecord& r) {
  r.d = get<std::uint16_t>(in);
  for (std::size_t u = 0; u < 8; ++u) {
    const auto word = get<std::uint32_t>(in + 66, u);
    r.level[u] = static_cast<std::uint8_t>(word >> 28);
    for (std::size_t k = 0; k < 4; ++k) {
      const unsigned eight = eight_signs(word >> (7 * k) & 127);
      const std::size_t c = 8 * u + 2 * k;
      r.code[c] = join(byte(in + 2, c), eight & 15);
      r.code[c + 1] = join(byte(in + 2, c + 1), eight >> 4);
    }
  }
}

void pack_iq3_s(const LatticeRecord& r, std::byte* out) {
  put(r.d, out);
  std::memset(out + 66, 0, 40);
  for (std::size_t c = 0; c < 64; ++c) {
    put_byte(entry_of(r.code[c]), out + 2, c);
    out[66 + c / 8] |= static_cast<std::byte>(entry_of(r.code[c]) >> 8 << c % 8);
    out[74 + c / 2] |= static_cast<std::byte>(signs_of(r.code[c]) << (c % 2 * 4));
  }
  pack_nibbles(r, 8, out + 106);
}
void unpack_iq3_s(const std::byte* in, LatticeRecord& r) {
  r.d = get<std::uint16_t>(in);
  for (std::size_t c = 0; c < 64; ++c) {
    const unsigned high = byte(in + 66, c / 8) >> c % 8 & 1;
    r.code[c] = join(byte(in + 2, c) | high << 8, byte(in + 74, c / 2) >> (c % 2 * 4) & 15);
  }
  unpack_nibbles(in + 106, 8, r);
}

void pack_iq1_s(const LatticeRecord& r, std::byte* out) {
  put(r.d, out);
  for (std::size_t u = 0; u < 8; ++u) {
    unsigned word = static_cast<unsigned>(r.level[u]) << 12 | static_cast<unsigned>(r.shift[u])
                                                                  << 15;
    for (std::size_t k = 0; k < 4; ++k) {
      put_byte(entry_of(r.code[4 * u + k]), out + 2, 4 * u + k);
      word |= entry_of(r.code[4 * u + k]) >> 8 << (3 * k);
    }
    put(static_cast<std::uint16_t>(word), out + 34, u);
  }
}
void unpack_iq1_s(const std::byte* in, LatticeRecord& r) {
  r.d = get<std::uint16_t>(in);
  for (std::size_t u = 0; u < 8; ++u) {
    const unsigned word = get<std::uint16_t>(in + 34, u);
    r.level[u] = static_cast<std::uint8_t>(word >> 12 & 7);
    r.shift[u] = static_cast<std::uint8_t>(word >> 15);
    for (std::size_t k = 0; k < 4; ++k)
      r.code[4 * u + k] = join(byte(in + 2, 4 * u + k) | (word >> (3 * k) & 7) << 8, 0);
  }
}

void pack_iq1_m(const LatticeRecord& r, std::byte* out) {
  std::memset(out + 32, 0, 16);
  for (std::size_t c = 0; c < 32; ++c) {
    put_byte(entry_of(r.code[c]), out, c);
    const unsigned half = entry_of(r.code[c]) >> 8 | signs_of(r.code[c]) << 3;
    out[32 + c / 2] |= static_cast<std::byte>(half << (c % 2 * 4));
  }
  for (std::size_t k = 0; k < 4; ++k) {
    unsigned word = (static_cast<unsigned>(r.d) >> (4 * k) & 15) << 12;
    for (std::size_t i = 0; i < 4; ++i)
      word |= static_cast<unsigned>(r.level[4 * k + i]) << (3 * i);
    put(static_cast<std::uint16_t>(word), out + 48, k);
  }
}
void unpack_iq1_m(const std::byte* in, LatticeRecord& r) {
  unsigned d = 0;
  for (std::size_t k = 0; k < 4; ++k) {
    const unsigned word = get<std::uint16_t>(in + 48, k);
    d |= word >> 12 << (4 * k);
    for (std::size_t i = 0; i < 4; ++i)
      r.level[4 * k + i] = static_cast<std::uint8_t>(word >> (3 * i) & 7);
  }
  r.d = static_cast<std::uint16_t>(d);
  for (std::size_t c = 0; c < 32; ++c) {
    const unsigned half = byte(in + 32, c / 2) >> (c % 2 * 4) & 15;
    r.code[c] = join(byte(in, c) | (half & 7) << 8, half >> 3);
  }
}

constexpr std::array<float, 8> kLevels2 = {8, 25, 43};
constexpr std::array<float, 8> kLevels3 = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr std::array<float, 8> kLevelsOdd = {1, 3, 5, 7, 9, 11, 13, 15};
constexpr std::array<float, 8> kLevels1 = {-1, 0, 1};
constexpr LatticeSigns kEven = LatticeSigns::even;
constexpr LatticeSigns kFree = LatticeSigns::free;

template <const auto& kCodebook, std::size_t kPatterns>
const LatticePlan& plan_of() {
  static const LatticePlan plan(kCodebook, kPatterns);
  return plan;
}

const LatticeMoves& moves_of_iq1() {
  static const LatticeMoves moves(kIq1S);
  return moves;
}

// Levels of a pattern's digits, the lowest first.
template <const auto& kLevels, std::size_t kBase, std::size_t kPatterns>
constexpr auto kHalves = [] {
  std::array<std::array<float, 4>, kPatterns> all{};
  for (std::size_t pattern = 0; pattern < kPatterns; ++pattern) {
    std::size_t rest = pattern;
    for (float& level : all[pattern]) {
      level = kLevels[rest % kBase];
      rest /= kBase;
    }
  }
  return all;
}();
constexpr const auto* kHalves1 = kHalves<kLevels1, 3, 81>.data();
constexpr const auto* kHalves2 = kHalves<kLevels2, 3, 81>.data();
constexpr const auto* kHalves3 = kHalves<kLevels3, 8, 64>.data();
constexpr const auto* kHalvesOdd = kHalves<kLevelsOdd, 8, 64>.data();

constexpr std::array kTypes = {
    LatticeType{"iq3_s", 4, kIq3S, plan_of<kIq3S, 64>, nullptr, kLevelsOdd, kHalvesOdd, 32, 16,
                1.0f, kFree, 0, 9.2f, 110, pack_iq3_s, unpack_iq3_s},
    LatticeType{"iq3_xxs", 4, kIq3Xxs, plan_of<kIq3Xxs, 64>, nullptr, kLevels3, kHalves3, 32, 16,
                0.25f, kEven, 0, 38.5f, 98, pack_iq3_xxs, unpack_iq3_xxs},
    LatticeType{"iq2_s", 8, kIq2S, plan_of<kIq2S, 81>, nullptr, kLevels2, kHalves2, 16, 16, 0.125f,
                kFree, 0, 33.0f, 82, pack_iq2_s, unpack_iq2_s},
    LatticeType{"iq2_xs", 8, kIq2Xs, plan_of<kIq2Xs, 81>, nullptr, kLevels2, kHalves2, 16, 16,
                0.125f, kEven, 0, 32.6f, 74, pack_iq2_xs, unpack_iq2_xs},
    LatticeType{"iq2_xxs", 8, kIq2Xxs, plan_of<kIq2Xxs, 81>, nullptr, kLevels2, kHalves2, 32, 16,
                0.125f, kEven, 0, 33.4f, 66, pack_iq2_xxs, unpack_iq2_xxs},
    LatticeType{"iq1_m", 8, kIq1S, plan_of<kIq1S, 81>, moves_of_iq1, kLevels1, kHalves1, 16, 8,
                1.0f, LatticeSigns::cell_shift, 0.125f, 1.10f, 56, pack_iq1_m, unpack_iq1_m},
    LatticeType{"iq1_s", 8, kIq1S, plan_of<kIq1S, 81>, moves_of_iq1, kLevels1, kHalves1, 32, 8,
                1.0f, LatticeSigns::unit_shift, 0.125f, 1.19f, 50, pack_iq1_s, unpack_iq1_s},
};

}  // namespace

std::span<const LatticeType> lattice_types() { return kTypes; }

}  // namespace zp
