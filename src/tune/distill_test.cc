#include "tune/distill.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "base/error.h"
#include "engine/backward.h"
#include "model/network.h"
#include "model/sample_models.h"
#include "tune/adamw.h"
#include "tune/students.h"
#include "tune/whole_pass.h"

namespace zp {
namespace {

// All gradients, by place.
class Gathered final : public WeightGradients {
 public:
  bool wants(Place) const override { return true; }
  void add_rows(Place place, std::int64_t begin, Matrix gradient) override {
    for (std::int64_t r = 0; r < gradient.rows; ++r) {
      std::vector<float>& row = all[{place, begin + r}];
      row.resize(static_cast<std::size_t>(gradient.cols));
      std::ranges::transform(row, gradient.row(r), row.begin(), std::plus());
    }
  }
  void add_norm(Place place, Floats gradient) override {
    all[{place, 0}].assign(gradient.begin(), gradient.end());
  }
  std::map<std::pair<Place, std::int64_t>, std::vector<float>> all;
};

// Layer by layer, each computed again, comes to the bits of one run over all steps.
TEST(WholePass, GivesTheGradientsOfTheWholeNetwork) {
  const std::vector<std::int32_t> ids = random_windows(1, 1).front();
  const Team team(1);
  for (const SampleModel& sample : sample_models()) {
    Engine engine(sample.model, team);
    KvCache cache = engine.make_cache(kStudentLength);
    const Chunk chunk{&cache, ids};
    std::vector<ValueId> every(engine.network().steps.size());
    std::iota(every.begin(), every.end(), ValueId{0});
    const auto values = engine.run({&chunk, 1}, {}, every);
    const auto loss = [](std::int64_t, View2D<float> logits) {
      for (std::int64_t r = 0; r < logits.rows; ++r) {
        for (float& v : logits.row(r)) v = 0.125f * v;
      }
    };
    std::map<ValueId, Activations> seed;
    seed.emplace(engine.network().logits(),
                 engine.copy_of(values.at(engine.network().logits()).view()));
    loss(0, seed.begin()->second.view());
    Gathered expected;
    engine.backward({&chunk, 1}, values, std::move(seed), 0, every.size(), expected);
    WholePass pass(engine);
    pass.forward(ids);
    Gathered found;
    pass.backward(loss, found);
    EXPECT_EQ(found.all, expected.all) << sample.name;
  }
}

Distilled distilled(const Model& teacher, const Student& student, const DistillOptions& options,
                    int threads) {
  Silent silent;
  const auto windows = random_windows(10, 2);
  const auto held_out = random_windows(2, 3);
  const Team team(threads);
  return distill(teacher, student.model, student.weights, windows, held_out, options, team, silent);
}

TEST(Distill, ComesNearerToTheTeacher) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  const Student student(sample.model, "int3:g8:min");
  ASSERT_GT(student.weights.size(), 10u);
  for (const Learned learned : {Learned::scales, Learned::all}) {
    DistillOptions options;
    options.learned = learned;
    options.schedule.passes = 8;
    options.schedule.rate = 0.01;
    const Distilled out = distilled(sample.model, student, options, 2);
    EXPECT_LT(out.looks[out.best].held_out, 0.95 * out.looks.front().held_out);
    EXPECT_EQ(out.looks.size(), 9u);
    EXPECT_EQ(out.looks.back().step, 40);
  }
}

TEST(Distill, IsTheSameForEveryNumberOfThreads) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  const Student student(sample.model, "int3:g8:min");
  DistillOptions options;
  options.learned = Learned::all;
  options.schedule.passes = 1;
  const Distilled one = distilled(sample.model, student, options, 1);
  const Distilled three = distilled(sample.model, student, options, 3);
  for (std::size_t i = 0; i < one.looks.size(); ++i)
    EXPECT_EQ(one.looks[i].held_out, three.looks[i].held_out);
  for (std::size_t i = 0; i < one.matrices.size(); ++i)
    EXPECT_EQ(all_rows(one.matrices[i]->master()), all_rows(three.matrices[i]->master()));
}

// What is best on text held out is kept, the start where nothing is better.
TEST(Distill, KeepsTheStartWhereItLearnsNothing) {
  const SampleModel sample = sample_model("llama", sample_decoder("llama"));
  const Student student(sample.model, "int3:g8:min");
  DistillOptions options;
  options.schedule.rate = 1;
  const Distilled out = distilled(sample.model, student, options, 2);
  ASSERT_GT(out.looks.back().held_out, out.looks.front().held_out);
  EXPECT_EQ(out.best, 0u);
  for (const auto& matrix : out.matrices) {
    for (const auto& group : matrix->groups()) {
      for (const float value : group.values) ASSERT_EQ(value, 0);
    }
  }
}

TEST(Adam, GoesTheRateInTheFirstStepAndStopsAtTheGoal) {
  Adam adam(2);
  std::vector<float> x = {3, -2};
  adam.update(x, std::vector<float>{0.5f, -100}, 0.25, 1);
  // Both moments begin as the gradient and its square: x - rate g / |g|, to FP32.
  EXPECT_NEAR(x[0], 2.75, 4 * 0x1p-24 * 3);
  EXPECT_NEAR(x[1], -1.75, 4 * 0x1p-24 * 3);
  for (std::int64_t step = 2; step <= 400; ++step)
    adam.update(x, std::vector<float>(x.begin(), x.end()), rate_of_step(0.1, step, 400), step);
  EXPECT_NEAR(x[0], 0, 0.1);
  EXPECT_NEAR(x[1], 0, 0.1);
}

TEST(Adam, RatesRiseThenFallToNothing) {
  EXPECT_DOUBLE_EQ(rate_of_step(1, 1, 100), 0.1);
  EXPECT_DOUBLE_EQ(rate_of_step(1, 10, 100), 1);
  EXPECT_LT(rate_of_step(1, 100, 100), 0.001);
  EXPECT_NEAR(rate_of_step(1, 55, 100), 0.5, 0.02);
  EXPECT_DOUBLE_EQ(rate_of_step(1, 1, 1), 1);
}

}  // namespace
}  // namespace zp
