#include "base/cpu.h"

#include <gtest/gtest.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include "base/error.h"

namespace zp {
namespace {

TEST(Cpu, RefusesAnUnknownInstructionSetNamingTheKnown) {
  const std::string best = instruction_sets().front();
  try {
    limit_instruction_set("avx9000");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_NE(std::string(e.what()).find(best), std::string::npos) << e.what();
  }
}

TEST(Cpu, LeavesNothingBetterThanTheLimit) {
  const std::vector<std::string> all = instruction_sets();
  ASSERT_FALSE(all.empty());
  const auto best = [] {
    const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
    return usable & -usable;
  };
  const std::int64_t unlimited = best();
  std::int64_t before = 0;
  for (const std::string& name : all) {
    limit_instruction_set(name);
    EXPECT_GT(best(), before) << name;
    before = best();
    EXPECT_EQ(instruction_sets(), all);
  }
  limit_instruction_set(all.front());
  EXPECT_EQ(best(), unlimited);
}

TEST(Cpu, TakesHighwaysWordsToo) {
  limit_instruction_set(instruction_sets().front());
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  limit_instruction_set(hwy::TargetName(usable & -usable));
  EXPECT_EQ(hwy::SupportedTargets() & HWY_TARGETS, usable);
}

}  // namespace
}  // namespace zp
