// A 64-bit hash that finds damage and tells things apart; no defence against intent.
//
// FNV-1a's step over words of eight bytes instead of one, h = rotl((h ^ word) * prime, 23); what is
// added ends with a word, padded with zeros, and its number of bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/view.h"

namespace zp {

class Hash64 {
 public:
  void add(Bytes bytes) {
    std::size_t i = 0;
    for (; i + sizeof(std::uint64_t) <= bytes.size(); i += sizeof(std::uint64_t))
      step(word(bytes.data() + i, sizeof(std::uint64_t)));
    if (i < bytes.size()) step(word(bytes.data() + i, bytes.size() - i));
    step(bytes.size());
  }
  std::uint64_t value() const { return h_; }

 private:
  static std::uint64_t word(const std::byte* from, std::size_t bytes) {
    std::uint64_t w = 0;
    std::memcpy(&w, from, bytes);
    return w;
  }
  void step(std::uint64_t w) { h_ = std::rotl((h_ ^ w) * 0x100000001b3u, 23); }

  std::uint64_t h_ = 0xcbf29ce484222325u;
};

}  // namespace zp
