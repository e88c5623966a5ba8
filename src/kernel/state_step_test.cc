// One token through a selective state space, against its sums one by one.
#include "kernel/state_step.h"

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

TEST(StateStep, IsItsSumsOneByOneWhateverTheVectors) {
  for (const std::size_t rows : {std::size_t{1}, std::size_t{8}, std::size_t{35}}) {
    for (const std::size_t width :
         {std::size_t{1}, std::size_t{16}, std::size_t{37}, std::size_t{64}, std::size_t{141}}) {
      const std::vector<float> input = normals(width, 1);
      const std::vector<float> write = normals(rows, 2);
      const std::vector<float> read = normals(rows, 3);
      const std::vector<float> before = normals(rows * width, 4);
      const StateToken token{input, write, read, 0.3f, 0.7f, 1.4f};
      std::vector<float> state = before;
      std::vector<float> out(width);
      for (std::size_t j = 0; j < width; ++j) {
        const float written = input[j] * token.step;
        for (std::size_t i = 0; i < rows; ++i) {
          float& now = state[i * width + j];
          now = std::fma(write[i], written, now * token.left);
          out[j] = std::fma(now, read[i], out[j]);
        }
        out[j] = std::fma(token.skip, input[j], out[j]);
      }
      under_every_instruction_set([&] {
        std::vector<float> found_state = before;
        std::vector<float> found(width);
        state_step(token, found_state, found);
        EXPECT_EQ(found, out) << rows << " x " << width;
        EXPECT_EQ(found_state, state) << rows << " x " << width;
      });
    }
  }
}

}  // namespace
}  // namespace zp
