// For tests: the same thing under every instruction set this machine has, and floats compared by
// their bits.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/random.h"

namespace zp {

/// f() under each instruction set, best first.
template <class F>
void under_every_instruction_set(const F& f) {
  const std::vector<std::string> all = instruction_sets();
  for (const std::string& name : all) {
    SCOPED_TRACE(name);
    limit_instruction_set(name);
    f();
  }
  limit_instruction_set(all.front());
}

/// Bits of a float; one value for all NaN.
inline std::uint32_t bits_of(float x) {
  return std::isnan(x) ? 0x7FC00000u : std::bit_cast<std::uint32_t>(x);
}

inline void expect_same_bits(std::span<const float> got, std::span<const float> expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(bits_of(got[i]), bits_of(expected[i]))
        << "at " << i << " of " << got.size() << ": " << got[i] << ", expected " << expected[i];
  }
}

inline std::vector<float> normal_floats(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> x(count);
  for (float& v : x) v = static_cast<float>(random.normal());
  return x;
}

}  // namespace zp
