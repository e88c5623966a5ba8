// Statistics of experts: the same however many are found at a time, and of tokens that are counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "calibrate/calibration.h"
#include "engine/expert_rows.h"
#include "model/sample_models.h"

namespace zp {
namespace {

constexpr std::int64_t kLength = 16;

// Many tokens of few kinds, so that some experts get hardly any.
std::vector<std::vector<std::int32_t>> windows(std::int64_t count, std::int64_t kinds) {
  Random random(3);
  std::vector<std::vector<std::int32_t>> all(static_cast<std::size_t>(count));
  for (auto& window : all) {
    for (std::int64_t i = 0; i < kLength; ++i)
      window.push_back(static_cast<std::int32_t>(static_cast<double>(kinds) * random.uniform()));
  }
  return all;
}

const SampleModel& mixture() {
  static const std::vector<SampleModel> all = sample_models();
  return *std::ranges::find(all, std::string("qwen3_moe"), &SampleModel::name);
}

struct Found {
  std::map<std::string, std::vector<float>> floats;  // of each weight
  std::vector<FewTokens> few;
  std::int64_t stages = 0;
};

Found find(bool upstream, std::int64_t memory, std::int64_t kinds) {
  const Model& model = mixture().model;
  CalibrationOptions options;
  options.feedback = true;
  options.method.upstream = upstream;
  options.memory_bytes = memory;
  options.held_out = windows(2, kinds);
  const Team team(2);
  Silent progress;
  Calibration calibration(model, windows(12, kinds), options, team);
  Found found;
  found.stages = calibration.stages();
  for (std::int64_t stage = 0; stage < found.stages; ++stage) {
    calibration.next(progress);
    for (const Weight& weight : model.weights) {
      if (calibration.stage_of(weight) != stage) continue;
      std::vector<float>& floats = found.floats[weight.use.hf];
      const InputStatistics inputs = calibration.of(weight, 0);
      floats.assign(inputs.importance.begin(), inputs.importance.end());
      for (const Matrix& m : {inputs.moments, inputs.feedback, inputs.drift,
                              calibration.samples(weight, 0).held_out.came}) {
        for (std::int64_t r = 0; r < m.rows; ++r)
          floats.insert(floats.end(), m.row(r).begin(), m.row(r).end());
      }
      // As if coding had halved it, but for norms and the like.
      if (calibration.wants(weight) && weight.use.is_matrix()) {
        std::vector<float> rows(static_cast<std::size_t>(weight.use.rows * weight.use.cols));
        weight.rows->read(0, weight.use.rows, rows.data());
        for (float& x : rows) x *= 0.875f;
        calibration.coded(weight, 0,
                          constant_rows(std::move(rows), weight.use.rows, weight.use.cols));
      }
    }
  }
  found.few = calibration.few_tokens();
  return found;
}

TEST(ExpertStatistics, AreTheSameHoweverManyAreFoundAtATime) {
  for (const bool upstream : {false, true}) {
    for (const std::int64_t kinds : {50, 3}) {
      const Found all = find(upstream, 0, kinds);
      const Found one = find(upstream, 1, kinds);
      EXPECT_GE(one.stages, all.stages + 8);  // five experts' two inputs
      EXPECT_EQ(one.floats, all.floats);
      EXPECT_EQ(one.few, all.few);
    }
  }
}

TEST(ExpertStatistics, WhatHardlyAnyTokenReachesIsSaidAndHasThoseOfOthers) {
  const Model& model = mixture().model;
  const Found found = find(false, 0, 3);
  // Counted by the engine, a window at a time.
  const Team team(1);
  Engine engine(model, team);
  const ValueId dispatched = engine.network().inputs.at({1, Role::gate, 0}).value;
  const ValueId routes = routes_of(engine.network(), dispatched);
  std::vector<std::int64_t> tokens(5);
  for (const std::vector<std::int32_t>& window : windows(12, 3)) {
    KvCache cache = engine.make_cache(kLength);
    const Chunk chunk{&cache, window};
    const auto made = engine.run({&chunk, 1}, {}, {&routes, 1});
    const ExpertRows rows(made.at(routes).view());
    for (std::size_t e = 0; e < 5; ++e) tokens[e] += rows.count(static_cast<std::int64_t>(e));
  }
  std::vector<FewTokens> few;
  for (std::int64_t e = 0; e < 5; ++e) {
    if (tokens[static_cast<std::size_t>(e)] < kFewTokens)
      few.push_back({1, e, tokens[static_cast<std::size_t>(e)]});
  }
  ASSERT_FALSE(few.empty());
  ASSERT_LT(few.size(), 5u);
  EXPECT_EQ(found.few, few);
  for (const Weight& weight : model.weights) {
    if (weight.use.place.expert < 0) continue;
    const std::vector<float>& floats = found.floats.at(weight.use.hf);
    ASSERT_GE(floats.size(), static_cast<std::size_t>(weight.use.cols)) << weight.use.hf;
    for (std::int64_t c = 0; c < weight.use.cols; ++c)
      EXPECT_GT(floats[static_cast<std::size_t>(c)], 0) << weight.use.hf;
  }
}

}  // namespace
}  // namespace zp
