// Where the scales and mins of a super-block lie, both ways. Bytes move together, as parts of
// words; words are little-endian.
#pragma once

#include <array>
#include <cstring>

#include "grid/super_blocks.h"

namespace zp {

/// A block's scales and mins, unit u in byte u % 8 of word u / 8: scales in two's complement with
/// the layout's bias added.
struct SuperScales {
  std::array<std::uint64_t, 2> scale;
  std::array<std::uint64_t, 2> min;
};

template <class Word>
Word load_word(const void* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The byte b eight times.
constexpr std::uint64_t all_bytes(std::uint8_t b) noexcept { return 0x0101010101010101ULL * b; }

constexpr std::uint64_t two_words(std::uint32_t low, std::uint32_t high) noexcept {
  return low | static_cast<std::uint64_t>(high) << 32;
}
constexpr std::uint32_t low_word(std::uint64_t both) noexcept {
  return static_cast<std::uint32_t>(both);
}
constexpr std::uint32_t high_word(std::uint64_t both) noexcept {
  return static_cast<std::uint32_t>(both >> 32);
}

/// The eight nibbles of a word, the lowest first, as bytes; and back.
constexpr std::uint64_t nibbles_apart(std::uint32_t word) noexcept {
  std::uint64_t x = word;
  x = (x | x << 16) & 0x0000FFFF0000FFFFULL;
  x = (x | x << 8) & 0x00FF00FF00FF00FFULL;
  return (x | x << 4) & all_bytes(15);
}
constexpr std::uint32_t nibbles_together(std::uint64_t x) noexcept {
  x = (x | x >> 4) & 0x00FF00FF00FF00FFULL;
  x = (x | x >> 8) & 0x0000FFFF0000FFFFULL;
  return static_cast<std::uint32_t>(x | x >> 16);
}

/// The eight pairs of bits of a word, the lowest first, as bytes; and back.
constexpr std::uint64_t pairs_apart(std::uint16_t word) noexcept {
  std::uint64_t x = word;
  x = (x | x << 24) & 0x000000FF000000FFULL;
  x = (x | x << 12) & 0x000F000F000F000FULL;
  return (x | x << 6) & all_bytes(3);
}
constexpr std::uint16_t pairs_together(std::uint64_t x) noexcept {
  x = (x | x >> 6) & 0x000F000F000F000FULL;
  x = (x | x >> 12) & 0x000000FF000000FFULL;
  return static_cast<std::uint16_t>(x | x >> 24);
}

/// The scales stored at `in`.
template <ScalePlaces kPlaces>
inline SuperScales unpack_scales([[maybe_unused]] const std::byte* in) noexcept {
  constexpr std::uint32_t kSix = 0x3F3F3F3F, kLowFour = 0x0F0F0F0F, kHighTwo = 0x30303030;
  if constexpr (kPlaces == ScalePlaces::four_four) {
    // Byte u holds scale u in the low four bits, min u above.
    const auto first = load_word<std::uint64_t>(in);
    const auto second = load_word<std::uint64_t>(in + 8);
    return {{first & all_bytes(15), second & all_bytes(15)},
            {first >> 4 & all_bytes(15), second >> 4 & all_bytes(15)}};
  } else if constexpr (kPlaces == ScalePlaces::six_six) {
    // Scales 0...3 in bytes 0...3, mins 0...3 in bytes 4...7; the low four bits of 4...7 in bytes
    // 8...11 (scale low, min high), their upper two bits in bits 6, 7 of bytes 0...3 and 4...7.
    const auto first = load_word<std::uint32_t>(in);
    const auto second = load_word<std::uint32_t>(in + 4);
    const auto third = load_word<std::uint32_t>(in + 8);
    return {{two_words(first & kSix, (third & kLowFour) | (first >> 2 & kHighTwo)), 0},
            {two_words(second & kSix, (third >> 4 & kLowFour) | (second >> 2 & kHighTwo)), 0}};
  } else if constexpr (kPlaces == ScalePlaces::six) {
    // The low four bits of u and u + 8 in byte u, the upper two of u in byte 8 + u % 4 from bit
    // 2 (u / 4).
    const auto low = load_word<std::uint64_t>(in);
    const auto high = load_word<std::uint32_t>(in + 8);
    return {{(low & all_bytes(15)) | (two_words(high, high >> 2) & all_bytes(3)) << 4,
             (low >> 4 & all_bytes(15)) | (two_words(high >> 4, high >> 6) & all_bytes(3)) << 4},
            {}};
  } else if constexpr (kPlaces == ScalePlaces::eight) {
    return {{load_word<std::uint64_t>(in), load_word<std::uint64_t>(in + 8)}, {}};
  } else if constexpr (kPlaces == ScalePlaces::two_four) {
    // The upper two bits of u in a 16-bit word from bit 2 u, then the low four of 2 i and 2 i + 1
    // in byte i.
    return {{nibbles_apart(load_word<std::uint32_t>(in + 2)) |
                 pairs_apart(load_word<std::uint16_t>(in)) << 4,
             0},
            {}};
  } else {
    return {{1, 0}, {}};
  }
}

/// The inverse: stores the scales at `out`.
inline void pack_scales(ScalePlaces places, const SuperScales& s, std::byte* out) noexcept {
  const auto store = [&](const auto&... words) {
    ((std::memcpy(out, &words, sizeof words), out += sizeof words), ...);
  };
  constexpr std::uint32_t kLowFour = 0x0F0F0F0F, kHighTwo = 0x30303030;
  const auto [first, second] = s.scale;
  switch (places) {
    case ScalePlaces::none:
      return;
    case ScalePlaces::four_four:
      return store(first | s.min[0] << 4, second | s.min[1] << 4);
    case ScalePlaces::six_six: {
      const std::uint64_t min = s.min[0];
      return store(low_word(first) | (high_word(first) & kHighTwo) << 2,
                   low_word(min) | (high_word(min) & kHighTwo) << 2,
                   (high_word(first) & kLowFour) | (high_word(min) & kLowFour) << 4);
    }
    case ScalePlaces::six: {
      const std::uint64_t upper_first = first >> 4 & all_bytes(3);
      const std::uint64_t upper_second = second >> 4 & all_bytes(3);
      return store((first & all_bytes(15)) | (second & all_bytes(15)) << 4,
                   low_word(upper_first) | high_word(upper_first) << 2 |
                       low_word(upper_second) << 4 | high_word(upper_second) << 6);
    }
    case ScalePlaces::eight:
      return store(first, second);
    case ScalePlaces::two_four:
      return store(pairs_together(first >> 4 & all_bytes(3)),
                   nibbles_together(first & all_bytes(15)));
  }
}

}  // namespace zp
