// What single weights cost, beside the judge's own run of the whole model.
#include "pipeline/sensitivity.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "calibrate/windows.h"
#include "judge/evaluate.h"
#include "method/method.h"
#include "pipeline/load.h"
#include "text/dataset.h"

namespace zp {
namespace {

const std::string kDemo = "models/demo";
constexpr std::int64_t kContext = 64;

const LoadedModel& demo() {
  static const std::unique_ptr<LoadedModel> loaded = load_model(kDemo);
  return *loaded;
}

std::vector<std::vector<TokenId>> windows() {
  return calibration_windows(read_dataset(kDemo + "/heldout.jsonl"), &*demo().tokenizer, kDemo,
                             4 * kContext, kContext);
}

Choosable choosable(std::int64_t layer, Role role, std::initializer_list<const char*> specs,
                    std::size_t probe = 0) {
  for (const Weight& w : demo().model.weights) {
    if (w.use.place.layer != layer || w.use.place.role != role || w.use.part != Part::weight)
      continue;
    Choosable c{{&w}, {}, probe};
    for (const char* spec : specs) c.grids.push_back(make_grid(spec));
    return c;
  }
  ADD_FAILURE() << "the demo model has no such weight";
  return {};
}

// The weight coded in memory, the model judged from its first layer on.
double judged(const Choosable& c, const Team& team) {
  const TensorUse& use = c.use();
  const Grid& grid = *c.grids[c.probe];
  const Weight& weight = *c.weights.front();
  const TensorJob job{use.hf, &weight, weight.rows, c.grids[c.probe], {}};
  CodedRows rows(job, demo().model.decoder);
  std::vector<float> w(static_cast<std::size_t>(use.rows * use.cols));
  weight.rows->read(0, use.rows, w.data());
  std::vector<std::vector<std::byte>> planes;
  std::vector<std::byte*> out;
  for (std::size_t p = 0; p < grid.planes().size(); ++p)
    planes.emplace_back(static_cast<std::size_t>(use.rows * grid.row_bytes(p, use.cols)));
  for (auto& plane : planes) out.push_back(plane.data());
  default_coder()->code(grid, {w.data(), use.rows, use.cols}, {}, out);
  rows.set(0, use.rows, planes);
  Engine reference(demo().model, team);
  std::vector<std::unique_ptr<Engine>> engines;
  engines.push_back(std::make_unique<Engine>(demo().model, team));
  engines.front()->replace(use.place, rows);
  std::vector<TokenId> tokens;
  for (const auto& window : windows()) tokens.insert(tokens.end(), window.begin(), window.end());
  Silent silent;
  const auto scores =
      evaluate(engines, &reference, ScoredText{.tokens = tokens, .context = kContext, .bos = {}},
               team, silent);
  return summarize(scores.front(), true).compared->kl.mean;
}

TEST(Sensitivity, HasTheJudgesDivergenceToTheBit) {
  const Team team(2);
  const std::vector<Choosable> weights = {
      choosable(0, Role::query, {"int3:g32"}), choosable(2, Role::down, {"int3:g32"}),
      choosable(3, Role::up, {"int2:g32"}), choosable(-1, Role::embedding, {"int4:g32"})};
  Sensitivity sensitivity(demo().model, windows(), false, team);
  Silent silent;
  const auto losses = sensitivity.losses(weights, silent);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t choice = 0;
    EXPECT_GT(losses[i][0], 0);
    EXPECT_EQ(losses[i][0], judged(weights[i], team)) << weights[i].use().hf;
    EXPECT_EQ(losses[i][0], sensitivity.divergence({&weights[i], 1}, {&choice, 1}, silent).mean);
  }
}

TEST(Sensitivity, IsTheSameForEveryNumberOfThreads) {
  const auto losses = [](int threads) {
    const Team team(threads);
    const std::vector<Choosable> weights = {
        choosable(1, Role::value, {"int3:g32", "int4:g32"}),
        choosable(-1, Role::embedding, {"int3:g32", "int8:g32"}, 1)};
    Sensitivity sensitivity(demo().model, windows(), true, team);
    Silent silent;
    return sensitivity.losses(weights, silent);
  };
  EXPECT_EQ(losses(1), losses(3));
}

// A bit more or less is a factor of four. From 3 bits to 5 the sum, which a budget is spent by, is
// right within half a bit, and so are three of four weights.
TEST(Sensitivity, SquaredErrorsPredictOtherGrids) {
  const Team team(2);
  std::vector<Choosable> low, high;
  for (std::int64_t layer = 0; layer < demo().model.decoder.layers; ++layer) {
    for (const Role role : {Role::query, Role::key, Role::value, Role::attention_output, Role::gate,
                            Role::up, Role::down}) {
      low.push_back(choosable(layer, role, {"int3:g32:min", "int5:g32:min"}, 0));
      high.push_back(choosable(layer, role, {"int3:g32:min", "int5:g32:min"}, 1));
    }
  }
  Sensitivity sensitivity(demo().model, windows(), true, team);
  Silent silent;
  const auto predicted = sensitivity.losses(low, silent);
  const auto measured = sensitivity.losses(high, silent);
  double sum_predicted = 0, sum_measured = 0;
  std::size_t within = 0;
  for (std::size_t i = 0; i < low.size(); ++i) {
    sum_predicted += predicted[i][1];
    sum_measured += measured[i][1];
    within += predicted[i][1] < 2 * measured[i][1] && measured[i][1] < 2 * predicted[i][1];
  }
  EXPECT_LT(sum_predicted, 2 * sum_measured);
  EXPECT_LT(sum_measured, 2 * sum_predicted);
  EXPECT_GE(within, low.size() * 3 / 4);
}

}  // namespace
}  // namespace zp
