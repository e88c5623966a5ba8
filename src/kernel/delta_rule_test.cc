// One token through the gated delta rule, against its sums one by one.
#include "kernel/delta_rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

std::vector<float> normals(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> all(count);
  for (float& x : all) x = static_cast<float>(random.normal());
  return all;
}

TEST(DeltaRule, IsItsSumsOneByOneWhateverTheVectors) {
  for (const std::size_t rows : {std::size_t{1}, std::size_t{8}, std::size_t{35}}) {
    for (const std::size_t width : {std::size_t{1}, std::size_t{16}, std::size_t{37},
                                    std::size_t{64}, std::size_t{128}, std::size_t{141}}) {
      const std::vector<float> query = normals(rows, 1);
      const std::vector<float> key = normals(rows, 2);
      const std::vector<float> value = normals(width, 3);
      const std::vector<float> before = normals(rows * width, 4);
      const DeltaToken token{query, key, value, 0.7f, 0.3f};
      std::vector<float> state = before;
      std::vector<float> out(width);
      for (std::size_t j = 0; j < width; ++j) {
        float read = 0;
        for (std::size_t i = 0; i < rows; ++i)
          read = std::fma(before[i * width + j] * token.decay, key[i], read);
        const float moved = (value[j] - read) * token.beta;
        for (std::size_t i = 0; i < rows; ++i) {
          float& now = state[i * width + j];
          now = std::fma(key[i], moved, now * token.decay);
          out[j] = std::fma(now, query[i], out[j]);
        }
      }
      under_every_instruction_set([&] {
        std::vector<float> found_state = before;
        std::vector<float> found(width);
        delta_step(token, found_state, found);
        EXPECT_EQ(found, out) << rows << " x " << width;
        EXPECT_EQ(found_state, state) << rows << " x " << width;
      });
    }
  }
}

}  // namespace
}  // namespace zp
