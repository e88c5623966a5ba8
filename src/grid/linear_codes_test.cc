#include "grid/linear_codes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernel/every_instruction_set.h"
#include "number/integer.h"

namespace zp {
namespace {

// The definition, one weight at a time.
struct Scalar {
  LinearForm form;
  LinearParams p;

  float value(int k) const {
    const auto type = form.scale->arithmetic;
    const float product = p.scale * static_cast<float>(k);
    return form.offset == Offset::min ? type(type(product) + p.offset) : product;
  }
  Code code(float x) const {
    const int lo = form.lowest - p.zero;
    const int hi = form.highest - p.zero;
    const int k = nearest_int(p.scale == 0 ? 0 : (x - p.offset) / p.scale, lo, hi);
    int best = k;
    for (const int other : {k - 1, k + 1}) {
      const bool there = form.arithmetic != Arithmetic::fp32 && other >= lo && other <= hi;
      if (there && std::fabs(x - value(other)) < std::fabs(x - value(best))) best = other;
    }
    return best + p.zero;
  }
};

LinearForm form_of(Offset offset, ScaleType scale) {
  const bool from_zero = offset == Offset::min;
  const auto arithmetic = scale == ScaleType::s16     ? Arithmetic::fp16
                          : scale == ScaleType::sbf16 ? Arithmetic::bf16
                                                      : Arithmetic::fp32;
  return {from_zero ? 0 : -8,
          from_zero ? 15 : 7,
          offset,
          false,
          &info(scale),
          &info(scale),
          from_zero ? arithmetic : Arithmetic::fp32};
}

std::vector<float> weights() {
  std::vector<float> w = normal_floats(77, 3);
  const float odd[] = {0.5f, 1.5f, -2.5f, 1e30f, -1e30f, -0.0f, 70000.0f, -70000.0f, 1e-7f};
  std::ranges::copy(odd, w.begin() + 1);
  return w;
}

TEST(LinearCodes, OfRowsAndColumnsAreThoseOfTheDefinition) {
  const std::vector<float> w = weights();
  under_every_instruction_set([&] {
    for (const auto& [offset, type] : {std::pair{Offset::zero, ScaleType::s32},
                                       {Offset::min, ScaleType::s32},
                                       {Offset::min, ScaleType::s16},
                                       {Offset::min, ScaleType::sbf16}}) {
      const LinearForm form = form_of(offset, type);
      // One for each group of 7, and then for each weight.
      std::vector<LinearParams> params;
      for (std::size_t g = 0; g < w.size(); ++g) {
        const float scales[] = {1.0f, -0.25f, 0.0f, 0x1p-24f, 9600.0f, 0.1f, 1e-40f, 1e30f};
        params.push_back({form.scale->nearest.round(scales[g % 8]), 0, 0});
        if (offset == Offset::min) params.back().offset = static_cast<float>(g % 5) - 2.5f;
        if (offset == Offset::zero) params.back().zero = static_cast<int>(g % 16) - 8;
      }
      for (const std::size_t group : {7, 1}) {
        std::vector<Code> codes(w.size()), expected(w.size());
        std::vector<float> values(w.size()), expected_values(w.size());
        for (std::size_t i = 0; i < w.size(); ++i) {
          const Scalar one{form, params[i / group]};
          expected[i] = one.code(w[i]);
          expected_values[i] = one.value(expected[i] - one.p.zero);
        }
        nearest_codes(form, w, group, params.data(), codes.data());
        ASSERT_EQ(codes, expected);
        decode_codes(form, codes, group, params.data(), values.data());
        expect_same_bits(values, expected_values);
        if (group > 1) continue;
        codes.assign(w.size(), 0);
        nearest_codes_of_column(form, w, params.data(), codes.data(), values.data());
        ASSERT_EQ(codes, expected);
        expect_same_bits(values, expected_values);
      }
    }
  });
}

}  // namespace
}  // namespace zp
