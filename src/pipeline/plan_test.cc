#include "pipeline/plan.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

TEST(Plan, WithoutAMethodItIsMse) {
  const auto demo = load_model("models/demo");
  Recipe recipe;
  recipe.targets = {parse_target("gguf:q4_0")};
  recipe.force = true;
  const Plan plan = make_plan(*demo, recipe);
  ASSERT_NE(plan.coder, nullptr);
  EXPECT_EQ(plan.coder->name(), "mse");
  EXPECT_GT(plan.memory_bytes, 0);
}

}  // namespace
}  // namespace zp
