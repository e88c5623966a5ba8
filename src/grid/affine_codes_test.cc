#include "grid/affine_codes.h"

#include <gtest/gtest.h>

#include "kernel/every_instruction_set.h"
#include "number/integer.h"

namespace zp {
namespace {

TEST(AffineCodes, AreThoseOfTheScalarFormula) {
  std::vector<float> w = normal_floats(77, 3);
  w[1] = 0.5f;
  w[2] = 1.5f;
  w[3] = -2.5f;
  w[4] = 1e30f;
  w[5] = -1e30f;
  w[6] = -0.0f;
  under_every_instruction_set([&] {
    for (const float scale : {1.0f, -0.25f, 0.0f, 1e-40f, 1e30f}) {
      for (const std::int32_t zero : {0, -8, 3}) {
        std::vector<std::int32_t> codes(w.size());
        nearest_codes(w, scale, -8 - zero, 7 - zero, zero, codes);
        std::vector<float> values(w.size()), expected(w.size());
        scaled_codes(codes, scale, zero, values);
        for (std::size_t i = 0; i < w.size(); ++i) {
          const float k = scale == 0 ? 0 : w[i] / scale;
          ASSERT_EQ(codes[i], nearest_int(k, -8 - zero, 7 - zero) + zero) << w[i] << " / " << scale;
          expected[i] = scale * static_cast<float>(codes[i] - zero);
        }
        expect_same_bits(values, expected);
      }
    }
  });
}

}  // namespace
}  // namespace zp
