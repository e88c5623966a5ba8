// Statistics of experts: the same however many are found at a time, and of tokens that are counted.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>

#include "base/random.h"
#include "calibrate/calibration.h"
#include "calibrate/stored_statistics.h"
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

const Model& sample(const std::string& name) {
  static const std::vector<SampleModel> all = sample_models();
  return std::ranges::find(all, name, &SampleModel::name)->model;
}
const Model& mixture() { return sample("qwen3_moe"); }

struct Found {
  std::map<std::string, std::vector<float>> floats;  // of each weight
  std::vector<FewTokens> few;
  std::int64_t stages = 0;
};

CalibrationOptions options_of(bool upstream, std::int64_t memory, std::int64_t kinds) {
  CalibrationOptions options;
  options.feedback = true;
  options.method.upstream = upstream;
  options.memory_bytes = memory;
  options.held_out = windows(2, kinds);
  return options;
}

// As if coding had made it smaller, but for norms and the like.
void code(Calibration& calibration, const Weight& weight) {
  if (!calibration.wants(weight)) return;
  std::vector<float> rows(static_cast<std::size_t>(weight.use.rows * weight.use.cols));
  weight.rows->read(0, weight.use.rows, rows.data());
  for (float& x : rows) x *= 0.875f;
  calibration.coded(weight, 0, constant_rows(std::move(rows), weight.use.rows, weight.use.cols));
}

void add(std::vector<float>& floats, const Matrix& m) {
  for (std::int64_t r = 0; r < m.rows; ++r)
    floats.insert(floats.end(), m.row(r).begin(), m.row(r).end());
}

std::vector<float> floats_of(const InputStatistics& inputs) {
  std::vector<float> floats(inputs.importance.begin(), inputs.importance.end());
  for (const Matrix& m : {inputs.moments, inputs.feedback, inputs.drift}) add(floats, m);
  return floats;
}

void go_on(const Model& model, Calibration& calibration, std::int64_t first, std::int64_t end,
           Found& found) {
  Silent progress;
  for (std::int64_t stage = first; stage < end; ++stage) {
    calibration.next(progress);
    for (const Weight& weight : model.weights) {
      if (calibration.stage_of(weight) != stage) continue;
      std::vector<float>& floats = found.floats[weight.use.hf];
      floats = floats_of(calibration.of(weight, 0));
      add(floats, calibration.samples(weight, 0).held_out.came);
      code(calibration, weight);
    }
  }
  found.few = calibration.few_tokens();
}

Found find(const Model& model, bool upstream, std::int64_t memory, std::int64_t kinds) {
  const Team team(2);
  Calibration calibration(model, windows(12, kinds), options_of(upstream, memory, kinds), team);
  Found found;
  found.stages = calibration.stages();
  go_on(model, calibration, 0, found.stages, found);
  return found;
}

TEST(ExpertStatistics, AreTheSameHoweverManyAreFoundAtATime) {
  // The second has a short convolution, which every window begins anew.
  for (const char* name : {"qwen3_moe", "lfm2_moe"}) {
    for (const bool upstream : {false, true}) {
      for (const std::int64_t kinds : {50, 3}) {
        const Found all = find(sample(name), upstream, 0, kinds);
        const Found one = find(sample(name), upstream, 1, kinds);
        EXPECT_GE(one.stages, all.stages + 8);  // five experts' two inputs
        EXPECT_EQ(one.floats, all.floats);
        EXPECT_EQ(one.few, all.few);
      }
    }
  }
}

// Where there is room, what experts gave is held while others' turn comes: rows of the tokens that
// go there, which are not those of an expert that takes all.
TEST(ExpertStatistics, AreTheSameWhereWhatExpertsGaveIsHeld) {
  Decoder d = mixture().decoder;
  d.experts.ffn = 1024;
  const SampleModel wide = sample_model("wide", d);
  constexpr std::int64_t kRoom = 1 << 27;  // for three experts at a time, and for what they gave
  for (const bool upstream : {false, true}) {
    const Found all = find(wide.model, upstream, 0, 3);
    const Found some = find(wide.model, upstream, kRoom, 3);
    EXPECT_GT(some.stages, all.stages);
    EXPECT_TRUE(some.floats == all.floats);
    EXPECT_EQ(some.few, all.few);
    ASSERT_FALSE(some.few.empty());
    EXPECT_GE(some.few.back().expert, 3);
  }
}

TEST(ExpertStatistics, GoOnFromAStateAsIfNothingHadBeen) {
  const Model& model = mixture();
  const Team team(2);
  for (const bool upstream : {false, true}) {
    const CalibrationOptions options = options_of(upstream, 1, 3);
    Calibration broken(model, windows(12, 3), options, team);
    Found whole;
    std::int64_t done = broken.stages() - 1;
    ASSERT_TRUE(broken.may_break_behind(done - 1));
    go_on(model, broken, 0, done, whole);
    ASSERT_FALSE(whole.few.empty());
    std::vector<std::byte> state;
    for (const Bytes part : broken.state()) state.insert(state.end(), part.begin(), part.end());
    go_on(model, broken, done, broken.stages(), whole);

    Calibration again(model, windows(12, 3), options, team);
    for (const Weight& weight : model.weights) {
      if (again.stage_of(weight) < done) code(again, weight);
    }
    again.resume(done, state);
    Found rest;
    go_on(model, again, done, again.stages(), rest);
    EXPECT_EQ(rest.few, whole.few);
    ASSERT_FALSE(rest.floats.empty());
    for (const auto& [name, floats] : rest.floats) EXPECT_EQ(floats, whole.floats.at(name)) << name;
  }
}

TEST(ExpertStatistics, WhatHardlyAnyTokenReachesIsSaidAndHasThoseOfOthers) {
  const Model& model = mixture();
  const Found found = find(model, false, 0, 3);
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

// With few tokens for some experts, and whether all are found and taken at a time or one.
TEST(ExpertStatistics, ComeBackFromAFileAsTheyWere) {
  const Model& model = mixture();
  const Team team(2);
  Silent progress;
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("zp-experts-" + std::to_string(getpid()));
  for (const std::int64_t memory : {0, 1}) {
    CalibrationOptions options = options_of(false, memory, 3);
    Calibration direct(model, windows(12, 3), options, team);
    options.ranges = true;
    Calibration written(model, windows(12, 3), options, team);
    write_statistics(model, written, path, true, progress);
    StoredStatistics stored(path, model, options.method, memory, team);
    std::filesystem::remove(path);
    EXPECT_EQ(stored.stages() > model.decoder.layers + 1, memory > 0);
    std::map<std::string, std::vector<float>> expected;
    for (std::int64_t stage = 0; stage < direct.stages(); ++stage) {
      direct.next(progress);
      for (const Weight& weight : model.weights) {
        if (direct.stage_of(weight) == stage)
          expected[weight.use.hf] = floats_of(direct.of(weight, 0));
      }
    }
    for (std::int64_t stage = 0; stage < stored.stages(); ++stage) {
      stored.next(progress);
      for (const Weight& weight : model.weights) {
        if (stored.stage_of(weight) == stage) {
          EXPECT_EQ(floats_of(stored.of(weight, 0)), expected.at(weight.use.hf)) << weight.use.hf;
        }
        ASSERT_LT(stored.stage_of(weight), stored.stages()) << weight.use.hf;
      }
    }
    ASSERT_FALSE(direct.few_tokens().empty());
    EXPECT_EQ(stored.few_tokens(), direct.few_tokens());
  }
}

// An entry holds a row of sums and a count for each expert, one behind the other.
TEST(ExpertStatistics, AreRowsOfAnImatrixEntry) {
  const Model& model = mixture();
  CalibrationOptions options;
  const Team team(1);
  Silent progress;
  Calibration calibration(model, windows(60, 50), options, team);
  const Imatrix imatrix = make_imatrix(model, calibration, {"text"}, progress);
  ASSERT_TRUE(calibration.few_tokens().empty());
  for (const char* name : {"blk.1.ffn_gate_exps.weight", "blk.1.ffn_down_exps.weight"}) {
    const auto entry = std::ranges::find(imatrix.entries, name, &ImatrixEntry::name);
    ASSERT_NE(entry, imatrix.entries.end());
    ASSERT_EQ(entry->counts.size(), 5u);
    EXPECT_EQ(std::accumulate(entry->counts.begin(), entry->counts.end(), 0.0f),
              2.0f * 60 * kLength);
    EXPECT_EQ(entry->sums.size() % 5, 0u);
    for (std::size_t e = 0; e < 5; ++e) EXPECT_GT(entry->importance(e).front(), 0);
  }
  EXPECT_EQ(std::ranges::count(imatrix.entries, "blk.1.ffn_up_exps.weight", &ImatrixEntry::name),
            1);
}

}  // namespace
}  // namespace zp
