// For tests: the values and counts that tests/observer_reference.py has, too.
#pragma once

#include <cstdint>
#include <vector>

namespace zp::sample {

/// Knuth's MMIX generator, its upper 32 bits.
inline std::vector<std::uint64_t> chance(std::uint64_t seed, std::size_t count) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t state = seed; out.size() < count;) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    out.push_back(state >> 32);
  }
  return out;
}

/// Twenty thousand with heavy tails, more below 0 than above.
inline std::vector<float> values() {
  std::vector<float> out;
  for (const std::uint64_t c : chance(1, 20000)) {
    const double u = static_cast<double>(c) / 0x1p32 - 0.6;
    out.push_back(static_cast<float>(u * u * u * u * u * 50));
  }
  return out;
}

/// 2048 bins that fall off, with a thin tail full of gaps.
inline std::vector<std::uint64_t> counts() {
  std::vector<std::uint64_t> out;
  for (const std::uint64_t c : chance(2, 2048)) {
    const std::uint64_t b = out.size();
    out.push_back(4000000 / (40 + b * b) + (c % 7 == 0 ? c % 3 : 0));
  }
  return out;
}

}  // namespace zp::sample
