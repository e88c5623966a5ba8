#include "pipeline/allotment.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "calibrate/windows.h"
#include "pipeline/short_demo.h"
#include "text/dataset.h"

namespace zp {
namespace {

const LoadedModel& demo() {
  static const std::unique_ptr<LoadedModel> loaded = [] {
    const std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                         ("zeropoint_allotment_" + std::to_string(getpid()));
    sample::write_short_demo(folder);
    auto model = load_model(folder);
    std::filesystem::remove_all(folder);  // what is mapped stays
    return model;
  }();
  return *loaded;
}

std::vector<std::vector<TokenId>> windows() {
  return calibration_windows(read_dataset("models/demo/heldout.jsonl"), &*demo().tokenizer, "", 512,
                             64);
}

Recipe recipe_for(const char* target) {
  Recipe recipe;
  recipe.targets = {parse_target(target)};
  recipe.coder = make_coder("mse");
  recipe.force = true;
  return recipe;
}

Allotment allotted(Recipe& recipe, const Limits& limits) {
  const Team team(2);
  Silent silent;
  return allot(demo(), recipe, 0, windows(), limits, team, silent);
}

PlannedOutput planned(const Recipe& recipe) {
  return std::move(make_plan(demo(), recipe).outputs.front());
}

TEST(Allotment, KeepsToBitsPerWeight) {
  double before = 0;
  for (const double bits : {7.0, 4.8, 2.5}) {
    Recipe recipe = recipe_for("gguf");
    const Allotment found = allotted(recipe, {.name = "x", .bits_per_weight = bits});
    EXPECT_TRUE(found.met());
    EXPECT_EQ(found.tensors.size(), 7u + 1);
    EXPECT_LE(planned(recipe).bits_per_weight(demo().model), bits);
    EXPECT_GT(found.predicted, before);
    before = found.predicted;
  }
}

class Containers : public testing::TestWithParam<const char*> {};

TEST_P(Containers, KeepToBytesOfTheWholeOutput) {
  const std::int64_t limit = demo().model.parameters() * 6 / 8;
  Recipe recipe = recipe_for(GetParam());
  EXPECT_TRUE(allotted(recipe, {.name = "x", .bytes = limit}).met());
  EXPECT_LE(planned(recipe).layout.bytes(), limit);
}
INSTANTIATE_TEST_SUITE_P(All, Containers, testing::Values("gguf", "mlx", "onnx"));

TEST(Allotment, TakesTheLeastWhereTheBudgetIsTooSmall) {
  Recipe recipe = recipe_for("gguf");
  const Allotment found = allotted(recipe, {.name = "x", .bits_per_weight = 1});
  EXPECT_FALSE(found.met());
  for (const Allotted& a : found.tensors) EXPECT_EQ(a.grid, "iq1_s");
}

TEST(Allotment, LeavesExceptionsAlone) {
  Recipe recipe = recipe_for("gguf");
  recipe.exceptions = {{"layers.0.down", "q8_0"}, {"embedding", "fp16"}};
  const Allotment found = allotted(recipe, {.name = "x", .bits_per_weight = 8});
  EXPECT_EQ(found.tensors.size(), 7u - 1);
  for (const TensorJob& job : planned(recipe).layout.jobs) {
    const std::string expected = job.name == "blk.0.ffn_down.weight" ? "q8_0"
                                 : job.name == "token_embd.weight"   ? "fp16"
                                                                     : job.grid->spec();
    EXPECT_EQ(job.grid->spec(), expected);
  }
}

TEST(Allotment, SeeksTheSmallestThatKeepsToADivergence) {
  Recipe recipe = recipe_for("gguf");
  const Allotment found = allotted(recipe, {.name = "x", .kl = 0.0002});
  const double measured = found.measured.mean;
  const std::int64_t bytes = planned(recipe).layout.bytes();
  EXPECT_TRUE(found.met());
  EXPECT_LE(measured, 0.0002);
  // Less divergence takes more bytes.
  Recipe less = recipe_for("gguf");
  EXPECT_TRUE(allotted(less, {.name = "x", .kl = measured * (1 - 1e-9)}).met());
  EXPECT_GT(planned(less).layout.bytes(), bytes);
}

TEST(Allotment, SaysWhereADivergenceIsOutOfReach) {
  Recipe recipe = recipe_for("gguf");
  const Allotment found = allotted(recipe, {.name = "x", .kl = 1e-12});
  EXPECT_FALSE(found.met());
  EXPECT_GT(found.measured.mean, 1e-12);
}

TEST(Allotment, RefusesContainersWithoutGridsToChooseFrom) {
  Recipe recipe = recipe_for("hf");
  EXPECT_THROW(allotted(recipe, {.name = "x", .bits_per_weight = 8}), UsageError);
}

TEST(Allotment, RefusesWhatDoesNotFitTheMemory) {
  Recipe recipe = recipe_for("gguf");
  recipe.memory_bytes = 20 << 20;
  EXPECT_THROW(allotted(recipe, {.name = "x", .bits_per_weight = 8}), Error);
}

}  // namespace
}  // namespace zp
