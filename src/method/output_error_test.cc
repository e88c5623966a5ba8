// The error of a linear's outputs beside dense sums in FP64.
#include "method/output_error.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 5;
constexpr std::size_t kCols = 500;  // more than is taken together

struct Sample {
  Sample() {
    Random random(3);
    const auto draw = [&](std::size_t count, double size) {
      std::vector<float> all(count);
      for (float& v : all) v = static_cast<float>(size * random.normal());
      return all;
    };
    w = draw(kRows * kCols, 1);
    q = draw(kRows * kCols, 0.1);
    for (std::size_t i = 0; i < q.size(); ++i) q[i] += w[i];
    const std::vector<float> x = draw(7 * kCols, 1);
    h.resize(kCols * kCols);
    for (std::size_t i = 0; i < kCols; ++i) {
      for (std::size_t j = 0; j < kCols; ++j) {
        for (std::size_t t = 0; t < 7; ++t) h[i * kCols + j] += x[t * kCols + i] * x[t * kCols + j];
      }
      importance.push_back(h[i * kCols + i]);
      h[i * kCols + i] += kDamping;
    }
  }

  Matrix weights() const { return {w.data(), kRows, kCols}; }
  Matrix coded() const { return {q.data(), kRows, kCols}; }

  // tr(D H D^T) without the damping, D = W, or W - Q; and the same of magnitudes.
  std::array<double, 2> expected(bool error, bool diagonal) const {
    double sum = 0, magnitudes = 0;
    for (std::size_t r = 0; r < w.size(); r += kCols) {
      const auto d = [&](std::size_t j) {
        return static_cast<double>(w[r + j]) - (error ? static_cast<double>(q[r + j]) : 0.0);
      };
      for (std::size_t i = 0; i < kCols; ++i) {
        if (diagonal) sum += d(i) * d(i) * static_cast<double>(importance[i]);
        for (std::size_t j = 0; !diagonal && j < kCols; ++j) {
          const double product = d(i) * static_cast<double>(h[i * kCols + j]) * d(j);
          sum += product - (i == j ? d(i) * d(i) * static_cast<double>(kDamping) : 0.0);
          magnitudes += std::fabs(product);
        }
      }
    }
    return {sum, diagonal ? sum : magnitudes};
  }

  static constexpr float kDamping = 0.5f;
  std::vector<float> w, q, h, importance;
  std::vector<float> damping = std::vector<float>(kCols, kDamping);
};

// Up to 500 products are summed in FP32.
void expect_near(double found, std::array<double, 2> expected) {
  EXPECT_NEAR(found, expected[0], 500 * 0x1p-24 * expected[1]);
}

TEST(OutputEnergy, IsTheDenseSumsWithoutDamping) {
  const Sample s;
  InputStatistics inputs;
  inputs.importance = s.importance;
  inputs.moments = {s.h.data(), kCols, kCols};
  inputs.damping = s.damping;
  const Energy found = output_energy(s.weights(), s.coded(), inputs);
  expect_near(found.signal, s.expected(false, false));
  expect_near(found.error, s.expected(true, false));
  EXPECT_EQ(output_energy(s.weights(), s.coded(), inputs, 7.5).error, 7.5);
  EXPECT_EQ(output_energy(s.weights(), s.weights(), inputs).error, 0);
}

TEST(OutputEnergy, OfImportanceAloneIsOfTheDiagonal) {
  const Sample s;
  InputStatistics inputs;
  inputs.importance = s.importance;
  std::vector<double> first;
  under_every_instruction_set([&] {
    const Energy found = output_energy(s.weights(), s.coded(), inputs);
    expect_near(found.signal, s.expected(false, true));
    expect_near(found.error, s.expected(true, true));
    if (first.empty()) first = {found.signal, found.error};
    EXPECT_EQ(first, (std::vector<double>{found.signal, found.error}));
  });
}

TEST(OutputEnergy, OfNothingKnownIsNothing) {
  const Sample s;
  EXPECT_EQ(output_energy(s.weights(), s.coded(), {}).signal, 0);
}

}  // namespace
}  // namespace zp
