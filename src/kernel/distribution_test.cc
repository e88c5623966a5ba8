#include "kernel/distribution.h"

#include "kernel/elementary.h"
#include "kernel/every_instruction_set.h"

namespace zp {
namespace {

TEST(Distribution, SharesHaveTheBitsOfThePortableExponential) {
  Random random(4);
  std::vector<float> logits = {-1e30F, -700, -699.9F, -350, -0.0F, -1e-30F};
  while (logits.size() < 2011) logits.push_back(static_cast<float>(-40 * random.uniform()));
  for (const double temperature : {1.0, 0.7, 3.0, 0.05}) {
    std::vector<double> expected;
    for (const float x : logits) {
      const double below = (static_cast<double>(x) - 0.5) / temperature;
      expected.push_back(below < -700 ? 0 : portable_exp(below));
    }
    under_every_instruction_set([&] {
      std::vector<double> got(logits.size());
      shares(logits, 0.5F, temperature, got);
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint64_t>(got[i]), std::bit_cast<std::uint64_t>(expected[i]))
            << logits[i] << " at " << temperature;
      }
    });
  }
}

}  // namespace
}  // namespace zp
