#include "tune/refine.h"

#include <gtest/gtest.h>

#include "engine/backward.h"
#include "model/sample_models.h"
#include "tune/layer_walk.h"
#include "tune/students.h"

namespace zp {
namespace {

Refined refined(const Model& teacher, const Student& student, const RefineOptions& options,
                int threads) {
  Silent silent;
  const auto windows = random_windows(10, 2);
  const auto held_out = random_windows(2, 3);
  const Team team(threads);
  std::vector<TrainedWeight> of_layers;
  for (const TrainedWeight& w : student.weights) {
    if (w.place.layer >= 0) of_layers.push_back(w);
  }
  return refine(teacher, student.model, of_layers, windows, held_out, options, team, silent);
}

TEST(Refine, BringsEachLayerNearerToTheFloatModels) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  const Student student(sample.model, "int3:channel:min");
  RefineOptions options;
  options.schedule.rate = 0.5;  // some hundredths at the grid's 3.8 bits
  const Refined out = refined(sample.model, student, options, 2);
  ASSERT_EQ(std::ssize(out.layers), sample.model.decoder.layers);
  for (const RefinedLayer& layer : out.layers) EXPECT_LT(layer.after, layer.before);
  EXPECT_LT(out.after, out.before);
  EXPECT_EQ(out.layers.back().after, out.after);
  for (const auto& matrix : out.matrices) EXPECT_NE(matrix, nullptr);
}

TEST(Refine, IsTheSameForEveryNumberOfThreads) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  const Student student(sample.model, "int3:channel:min");
  RefineOptions options;
  options.schedule.passes = 1;
  const Refined one = refined(sample.model, student, options, 1);
  const Refined three = refined(sample.model, student, options, 3);
  EXPECT_EQ(one.after, three.after);
  for (std::size_t i = 0; i < one.matrices.size(); ++i)
    EXPECT_EQ(all_rows(one.matrices[i]->coded()), all_rows(three.matrices[i]->coded()));
}

// What is trained is what the layers multiply by: measured anew with the matrices in their places.
TEST(Refine, MeasuresWhatIsStored) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  const Student student(sample.model, "int3:channel:min");
  const Refined out = refined(sample.model, student, {}, 2);
  const Team team(1);
  const auto held_out = random_windows(2, 3);
  const std::vector<std::span<const std::int32_t>> windows(held_out.begin(), held_out.end());
  Engine theirs(sample.model, team);
  Engine ours(student.model, team);
  std::size_t at = 0;
  for (const TrainedWeight& w : student.weights) {
    if (w.place.layer >= 0) ours.replace(w.place, out.matrices[at++]->coded());
  }
  LayerWalk with(ours, windows);
  LayerWalk without(theirs, windows);
  for (std::int64_t layer = 0; layer < sample.model.decoder.layers; ++layer) {
    with.advance();
    without.advance();
  }
  double sum = 0;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    for (std::int64_t r = 0; r < kStudentLength; ++r) {
      double apart = 0;
      double size = 0;
      for (std::size_t c = 0; c < with.left(i).row(r).size(); ++c) {
        const double y = without.left(i).row(r)[c];
        apart += std::pow(with.left(i).row(r)[c] - y, 2);
        size += y * y;
      }
      sum += apart / size;
    }
  }
  // Sums of 80 products in FP32 on the one side.
  EXPECT_NEAR(sum / (2 * kStudentLength), out.after, 80 * 0x1p-24 * out.after);
}

// A rate of many times the weights makes all worse: the start is kept.
TEST(Refine, KeepsTheStartWhereItLearnsNothing) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  const Student student(sample.model, "int3:channel:min");
  RefineOptions options;
  options.schedule.rate = 30;
  const Refined out = refined(sample.model, student, options, 2);
  for (const RefinedLayer& layer : out.layers) EXPECT_EQ(layer.after, layer.before);
}

// Layers of every kind are trained, each from the values that it reads.
TEST(Refine, GoesThroughEveryArchitecture) {
  for (const SampleModel& sample : sample_models()) {
    const Student student(sample.model, "int4:g8:min");
    RefineOptions options;
    options.schedule.steps = 1;
    const Refined out = refined(sample.model, student, options, 2);
    EXPECT_LE(out.after, 1.5 * out.before) << sample.name;
    EXPECT_GT(out.before, 0) << sample.name;
  }
}

TEST(Schedule, CountsWhatIsLearnedFrom) {
  const Schedule passes{.passes = 3, .batch = 2};
  EXPECT_EQ(passes.steps_of(5), 9);
  EXPECT_EQ(passes.learned(5), 15);
  const Schedule steps{.steps = 4, .batch = 2};
  EXPECT_EQ(steps.steps_of(5), 4);
  EXPECT_EQ(steps.learned(5), 7);
  std::int64_t windows = 0;
  std::vector<std::int64_t> looks;
  each_step(
      steps, 5, 2,
      [&](std::span<const std::size_t> batch, std::int64_t) { windows += std::ssize(batch); },
      [&](std::int64_t step) { looks.push_back(step); });
  EXPECT_EQ(windows, 7);
  EXPECT_EQ(looks, (std::vector<std::int64_t>{2, 4}));
}

}  // namespace
}  // namespace zp
