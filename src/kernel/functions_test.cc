// The vector functions: their error against the C library's in FP64, their limits, and the same
// bits under every instruction set, at every place in a row.
#include "kernel/functions.h"

#include <algorithm>
#include <limits>
#include <numbers>

#include "base/parallel.h"
#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Function {
  const char* name;
  void (*in_place)(std::span<float>);
  double (*exact)(double);
  double ulp;  ///< the bound that functions.h states
  float at_minus_infinity;
  float at_infinity;
};

double exact_gelu_tanh(double x) {
  const double z = 2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return x / (1 + std::exp(-z));  // 1 + tanh u = 2 / (1 + e^-2u)
}

const Function kFunctions[] = {
    {"exp", [](std::span<float> x) { exp(x); }, [](double x) { return std::exp(x); }, 1.0, 0,
     kInfinity},
    {"silu", [](std::span<float> x) { silu(x); }, [](double x) { return x / (1 + std::exp(-x)); },
     4, -0.0f, kInfinity},
    {"gelu_tanh", [](std::span<float> x) { gelu_tanh(x); }, exact_gelu_tanh, 4, -0.0f, kInfinity},
    {"gelu_erf", [](std::span<float> x) { gelu_erf(x); },
     [](double x) { return x * std::erfc(-x / std::numbers::sqrt2) / 2; }, 8, -0.0f, kInfinity},
    {"gelu_sigmoid", [](std::span<float> x) { gelu_sigmoid(x); },
     [](double x) { return x / (1 + std::exp(-1.702 * x)); }, 4, -0.0f, kInfinity},
    {"sigmoid", [](std::span<float> x) { sigmoid(x); },
     [](double x) { return 1 / (1 + std::exp(-x)); }, 4, 0, 1},
    {"squared_relu", [](std::span<float> x) { squared_relu(x); },
     [](double x) { return x > 0 ? x * x : 0; }, 0.5, 0, kInfinity},
    {"tanh", [](std::span<float> x) { soft_cap(x, 1); }, [](double x) { return std::tanh(x); }, 4,
     -1, 1},
};

/// |got - exact| in units in the last place of exact; infinite where only one is finite.
double ulp_error(float got, double exact) {
  const auto rounded = static_cast<float>(exact);
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : kInfinity;
  const int exponent = exact == 0 ? -149 : std::max(std::ilogb(exact) - 23, -149);
  return std::fabs(got - exact) * std::ldexp(1.0, -exponent);
}

float from_bits(std::uint32_t bits) { return std::bit_cast<float>(bits); }

struct Worst {
  double ulp = 0;
  float at = 0;
};

/// Over every `stride`th number of both signs, those of infinity's exponent left out.
Worst worst_error(const Function& f, std::uint32_t stride) {
  constexpr std::uint32_t kParts = 256;
  constexpr std::uint32_t kPart = 0x7F800000u / kParts;
  std::vector<Worst> worst(2 * kParts);
  Team().run(2 * kParts, [&](std::int64_t part) {
    const auto p = static_cast<std::uint32_t>(part);
    const std::uint32_t sign = p < kParts ? 0 : 0x80000000u;
    std::vector<float> x;
    for (std::uint32_t b = p % kParts * kPart + p % stride; b < (p % kParts + 1) * kPart;
         b += stride) {
      x.push_back(from_bits(sign | b));
    }
    std::vector<float> y = x;
    f.in_place(y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = ulp_error(y[i], f.exact(x[i]));
      if (!(error <= worst[p].ulp)) worst[p] = {error, x[i]};
    }
  });
  return *std::max_element(worst.begin(), worst.end(),
                           [](const Worst& a, const Worst& b) { return a.ulp < b.ulp; });
}

TEST(Functions, KeepTheirBoundsOnASampleOfAllFloats) {
  for (const Function& f : kFunctions) {
    const Worst worst = worst_error(f, 7919);
    EXPECT_LE(worst.ulp, f.ulp) << f.name << " at " << worst.at;
  }
}

// By hand, minutes: the figures in functions.h.
TEST(Functions, DISABLED_KeepTheirBoundsOnAllFloats) {
  for (const Function& f : kFunctions) {
    const Worst worst = worst_error(f, 1);
    std::printf("%s: %.3f ulp at %a\n", f.name, worst.ulp, static_cast<double>(worst.at));
    EXPECT_LE(worst.ulp, f.ulp) << f.name << " at " << worst.at;
  }
}

TEST(Functions, MeetTheirLimits) {
  for (const Function& f : kFunctions) {
    SCOPED_TRACE(f.name);
    std::vector<float> x = {-kInfinity, kInfinity, kNan, -kNan, -3e38f, 3e38f};
    under_every_instruction_set([&] {
      std::vector<float> y = x;
      f.in_place(y);
      expect_same_bits(std::span(y).first(4),
                       std::vector{f.at_minus_infinity, f.at_infinity, kNan, kNan});
      EXPECT_EQ(y[4], f.at_minus_infinity);
      EXPECT_EQ(y[5], std::min(f.at_infinity, f.exact(1e3) == 1e3 ? 3e38f : kInfinity));
    });
  }
}

TEST(Functions, KeepTheSignOfZeroAndRoundTinyNumbersRightly) {
  std::vector<float> x = {0.0f, -0.0f, std::numeric_limits<float>::denorm_min()};
  exp(x);
  expect_same_bits(x, std::vector{1.0f, 1.0f, 1.0f});
  for (const Function& f : kFunctions) {
    std::vector<float> zeros = {0.0f, -0.0f};
    f.in_place(zeros);
    expect_same_bits(
        zeros, std::vector{static_cast<float>(f.exact(0.0)), static_cast<float>(f.exact(-0.0))});
  }
}

TEST(Functions, ExpOverflowsAndUnderflowsWhereItShould) {
  // ln of the largest float is 88.7228394...; half of the smallest is e^-103.9720840...
  std::vector<float> x = {0x1.62e42ep+6f, 0x1.62e43p+6f, -0x1.9fe368p+6f, -0x1.9fe36ap+6f};
  exp(x);
  EXPECT_LT(x[0], kInfinity);
  EXPECT_GT(x[0], 3.4e38f);
  EXPECT_EQ(x[1], kInfinity);
  EXPECT_EQ(x[2], std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(x[3], 0);
}

void expect_monotone(std::uint32_t stride) {
  std::vector<float> x;
  for (std::uint32_t b = 0xFF800000u; b > 0x80000000u; b -= std::min(stride, b - 0x80000000u)) {
    x.push_back(from_bits(b));
  }
  for (std::uint32_t b = 0; b <= 0x7F800000u; b += stride) x.push_back(from_bits(b));
  std::vector<float> y = x;
  exp(y);
  for (std::size_t i = 1; i < x.size(); ++i) ASSERT_LE(y[i - 1], y[i]) << x[i];
}

TEST(Functions, ExpIsMonotone) { expect_monotone(997); }

// Neighbours, where e^x is neither 0, 1 nor infinite.
TEST(Functions, DISABLED_ExpIsMonotoneOnAllFloats) {
  for (const float sign : {1.0f, -1.0f}) {
    constexpr std::uint32_t kBegin = 0x33000000u, kEnd = 0x42D20000u,
                            kPart = 1u << 20;  // 2^-25, 105
    float previous = 1;
    for (std::uint32_t begin = kBegin; begin < kEnd; begin += kPart) {
      std::vector<float> y;
      for (std::uint32_t b = begin; b < begin + kPart; ++b) y.push_back(sign * from_bits(b));
      exp(y);
      for (const float v : y) {
        ASSERT_TRUE(sign > 0 ? previous <= v : v <= previous) << v;
        previous = v;
      }
    }
  }
}

std::vector<float> wild_floats(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> x(count);
  for (float& v : x) v = from_bits(static_cast<std::uint32_t>(random.bits() >> 32));
  return x;
}

TEST(Functions, AreTheSameBitsOnEveryInstructionSetAndAtEveryPlace) {
  for (const Function& f : kFunctions) {
    SCOPED_TRACE(f.name);
    std::vector<float> x = wild_floats(3000, 1);
    const std::vector<float> normal = normal_floats(3000, 2);
    for (const float v : normal) x.push_back(10 * v);
    std::vector<float> expected = x;
    for (float& v : expected) f.in_place(std::span(&v, 1));
    under_every_instruction_set([&] {
      for (const std::size_t begin : {0, 1, 5}) {
        std::vector<float> y(x.begin() + static_cast<std::ptrdiff_t>(begin), x.end());
        f.in_place(y);
        expect_same_bits(y, std::span(expected).subspan(begin));
      }
    });
  }
}

TEST(Functions, SoftCapIsCapTimesTanh) {
  std::vector<float> x = normal_floats(100, 3);
  for (float& v : x) v *= 40;
  std::vector<float> expected = x;
  for (float& v : expected) v /= 30;
  soft_cap(expected, 1);
  for (float& v : expected) v *= 30;
  soft_cap(x, 30);
  expect_same_bits(x, expected);
}

TEST(Functions, ClampKeepsNan) {
  under_every_instruction_set([] {
    std::vector<float> x = {-kInfinity, -8, -7, 0, 6.5f, 7, 9, kInfinity, kNan};
    clamp(x, -7, 7);
    expect_same_bits(x, std::vector<float>{-7, -7, -7, 0, 6.5f, 7, 7, 7, kNan});
    x = {-kInfinity, 9};
    clamp(x, -kInfinity, 7);
    expect_same_bits(x, std::vector<float>{-kInfinity, 7});
  });
}

TEST(Functions, AddMultiplyScaleShiftAndMultiplyAddRoundOnce) {
  for (const std::size_t count : {0, 1, 7, 16, 33, 100}) {
    const std::vector<float> x = wild_floats(count, 4);
    const std::vector<float> y = wild_floats(count, 5);
    const std::vector<float> z = wild_floats(count, 6);
    std::vector<float> sum = x, product = x, scaled = x, shifted = x, both = x, by_factor = x;
    for (std::size_t i = 0; i < count; ++i) {
      sum[i] += y[i];
      product[i] *= y[i];
      scaled[i] *= 0.3f;
      shifted[i] += 0.3f;
      both[i] = std::fma(y[i], z[i], x[i]);
      by_factor[i] = std::fma(y[i], 0.3f, x[i]);
    }
    under_every_instruction_set([&] {
      std::vector<float> out = x;
      add(out, y);
      expect_same_bits(out, sum);
      out = x;
      multiply(out, y);
      expect_same_bits(out, product);
      out = x;
      scale(out, 0.3f);
      expect_same_bits(out, scaled);
      out = x;
      shift(out, 0.3f);
      expect_same_bits(out, shifted);
      out = x;
      multiply_add(out, y, z);
      expect_same_bits(out, both);
      out = x;
      add_scaled(out, y, 0.3f);
      expect_same_bits(out, by_factor);
    });
  }
}

TEST(Functions, RotateTurnsPairsHalfARowApart) {
  for (const std::size_t pairs : {1, 3, 16, 24, 32, 40}) {
    const std::vector<float> x = normal_floats(2 * pairs + 5, 6);  // five more stay as they are
    const std::vector<float> cos = normal_floats(pairs, 7);
    const std::vector<float> sin = normal_floats(pairs, 8);
    std::vector<float> expected = x;
    for (std::size_t i = 0; i < pairs; ++i) {
      const float a = x[i], b = x[i + pairs];
      expected[i] = std::fma(a, cos[i], -(b * sin[i]));
      expected[i + pairs] = std::fma(b, cos[i], a * sin[i]);
    }
    under_every_instruction_set([&] {
      std::vector<float> out = x;
      zp::rotate(out, cos, sin);
      expect_same_bits(out, expected);
    });
  }
}

/// Sixteen lanes per 1,024 values, added as a tree; those in FP64.
template <class F>
double plain_sum(Floats x, const F& f) {
  double sum = 0;
  for (std::size_t begin = 0; begin < x.size(); begin += 1024) {
    float lane[16] = {};
    for (std::size_t i = begin; i < std::min(begin + 1024, x.size()); ++i) lane[i % 16] += f(x[i]);
    for (int half = 8; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
    }
    sum += lane[0];
  }
  return sum;
}

float one_exp(float x) {
  exp(std::span(&x, 1));
  return x;
}

const std::vector<std::size_t> kCounts = {1, 5, 16, 17, 100, 1023, 1024, 1025, 5000};

void expect_stated_softmax(float beside) {
  for (const std::size_t count : kCounts) {
    std::vector<float> x = normal_floats(count, 9);
    for (float& v : x) v *= 5;
    x[count / 2] = -kInfinity;
    x[0] = 3;
    const float most = std::max(*std::max_element(x.begin(), x.end()), beside);
    std::vector<float> expected;
    for (const float v : x) expected.push_back(one_exp(v - most));
    const double sum = plain_sum(expected, [](float v) { return v; }) + one_exp(beside - most);
    for (float& v : expected) v *= static_cast<float>(1 / sum);
    under_every_instruction_set([&] {
      std::vector<float> out = x;
      softmax(out, beside);
      expect_same_bits(out, expected);
    });
  }
}

TEST(Functions, SoftmaxIsTheStatedSum) {
  for (const float beside : {-kInfinity, -3.0f, 2.0f, 40.0f}) expect_stated_softmax(beside);
}

TEST(Functions, SoftmaxOfNothingButMinusInfinityIsZeros) {
  under_every_instruction_set([] {
    for (const std::size_t count : {1, 16, 37}) {
      std::vector<float> x(count, -kInfinity);
      softmax(x);
      expect_same_bits(x, std::vector<float>(count, 0));
      std::ranges::fill(x, -kInfinity);
      softmax(x, 1);
      expect_same_bits(x, std::vector<float>(count, 0));
    }
  });
}

TEST(Functions, SoftmaxShowsNanAndInfinity) {
  for (const float bad : {kNan, kInfinity}) {
    for (const std::size_t place : {0u, 3u, 16u, 36u}) {
      for (const float others : {1.0f, -kInfinity}) {
        under_every_instruction_set([&] {
          std::vector<float> x(37, others);
          x[place] = bad;
          softmax(x);
          expect_same_bits(std::span(x).subspan(place, 1), std::vector{kNan});
        });
      }
    }
  }
}

TEST(Functions, NormsAreTheStatedSums) {
  for (const std::size_t count : kCounts) {
    std::vector<float> x = normal_floats(count, 10);
    for (float& v : x) v += 0.5f;
    const std::vector<float> weight = normal_floats(count, 11);
    const std::vector<float> bias = normal_floats(count, 12);
    const auto n = static_cast<double>(count);
    const double squares = plain_sum(x, [](float v) { return v * v; });
    const auto inverse_rms = static_cast<float>(1 / std::sqrt(squares / n + 1e-5f));
    const auto mean = static_cast<float>(plain_sum(x, [](float v) { return v; }) / n);
    const double spread = plain_sum(x, [&](float v) { return (v - mean) * (v - mean); });
    const auto inverse = static_cast<float>(1 / std::sqrt(spread / n + 1e-5f));
    std::vector<float> rms, layer;
    for (std::size_t i = 0; i < count; ++i) {
      rms.push_back(x[i] * inverse_rms * weight[i]);
      layer.push_back(std::fma((x[i] - mean) * inverse, weight[i], bias[i]));
    }
    under_every_instruction_set([&] {
      std::vector<float> out(count);
      rms_norm(x, weight, 1e-5f, out);
      expect_same_bits(out, rms);
      layer_norm(x, weight, bias, 1e-5f, out);
      expect_same_bits(out, layer);
      out = x;
      rms_norm(out, weight, 1e-5f, out);
      expect_same_bits(out, rms);
      out = x;
      layer_norm(out, weight, bias, 1e-5f, out);
      expect_same_bits(out, layer);
    });
  }
}

}  // namespace
}  // namespace zp
