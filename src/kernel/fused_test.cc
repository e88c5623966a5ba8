// fused() against the machine's own std::fma.
#include <array>
#include <limits>

#include "kernel/every_instruction_set.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/fused_test.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/fused-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kAtOnce = 16;

void fused_sixteen(const float* x, const float* y, const float* z, float* out) {
  const hn::CappedTag<float, kAtOnce> d;
  for (std::size_t i = 0; i < kAtOnce; i += hn::Lanes(d)) {
    hn::StoreU(fused(d, hn::LoadU(d, x + i), hn::LoadU(d, y + i), hn::LoadU(d, z + i)), d, out + i);
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {
namespace {

HWY_EXPORT(fused_sixteen);

struct Operands {
  float x;
  float y;
  float z;
};

float with_exponent(Random& random, int exponent, std::uint32_t fraction) {
  const std::uint32_t sign = random.below(2) << 31;
  return std::ldexp(std::bit_cast<float>(sign | 0x3F800000u | fraction), exponent);
}

// Few bits set or cleared: products and sums that end near halves.
std::uint32_t sparse_fraction(Random& random) {
  std::uint32_t fraction = 0;
  for (std::uint32_t i = random.below(4); i > 0; --i) fraction ^= 1u << random.below(23);
  return random.below(2) != 0 ? fraction : ~fraction & 0x7FFFFFu;
}

float any_bits(Random& random) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(random.bits() >> 32));
}

float special(Random& random) {
  using Limits = std::numeric_limits<float>;
  constexpr std::array kAll = {
      0.0f,           1.0f,           Limits::min(),      Limits::denorm_min(),
      Limits::max(),  1.5f,           Limits::infinity(), Limits::quiet_NaN(),
      0x1.fffffep-1f, 0x1.000002p+0f, 0x1.fffffcp-127f,   0x1p-75f};
  const float value = kAll[random.below(kAll.size())];
  return random.below(2) != 0 ? value : -value;
}

Operands draw(Random& random) {
  switch (random.below(6)) {
    case 0:
      return {any_bits(random), any_bits(random), any_bits(random)};
    case 1:
      return {special(random), special(random), special(random)};
    case 2: {  // the sum cancels almost
      const float x = with_exponent(random, 0, random.below(1u << 23));
      const float y = with_exponent(random, 0, random.below(1u << 23));
      const auto near = std::bit_cast<std::uint32_t>(-(x * y)) + random.below(5) - 2;
      return {x, y, std::bit_cast<float>(near)};
    }
    case 3: {  // the result is subnormal
      const int e = static_cast<int>(random.below(60)) - 60;
      return {with_exponent(random, e, sparse_fraction(random)),
              with_exponent(random, -149 - e + static_cast<int>(random.below(30)),
                            sparse_fraction(random)),
              with_exponent(random, -149 + static_cast<int>(random.below(30)),
                            sparse_fraction(random))};
    }
    case 4: {  // it overflows, or not quite
      return {
          with_exponent(random, 63, sparse_fraction(random)),
          with_exponent(random, 63 + static_cast<int>(random.below(3)), sparse_fraction(random)),
          with_exponent(random, 80 + static_cast<int>(random.below(48)), sparse_fraction(random))};
    }
    default:  // halves at every distance of the summands
      return {
          with_exponent(random, 0, sparse_fraction(random)),
          with_exponent(random, 0, sparse_fraction(random)),
          with_exponent(random, static_cast<int>(random.below(110)) - 55, sparse_fraction(random))};
  }
}

void compare_with_std_fma(std::int64_t rounds) {
  Random random(2008);
  std::array<float, 16> x, y, z, out;
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const Operands o = draw(random);
      x[i] = o.x;
      y[i] = o.y;
      z[i] = o.z;
    }
    HWY_DYNAMIC_DISPATCH(fused_sixteen)(x.data(), y.data(), z.data(), out.data());
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_EQ(bits_of(out[i]), bits_of(std::fma(x[i], y[i], z[i])))
          << std::hexfloat << x[i] << " * " << y[i] << " + " << z[i] << " gave " << out[i];
    }
  }
}

TEST(Fused, RoundsOnceOnEveryInstructionSet) {
  under_every_instruction_set([] { compare_with_std_fma(20'000); });
}

// By hand: some 400 million triples for each instruction set.
TEST(Fused, DISABLED_RoundsOnceHundredsOfMillionsOfTimes) {
  under_every_instruction_set([] { compare_with_std_fma(25'000'000); });
}

}  // namespace
}  // namespace zp
#endif
