// A coder that only this file knows goes through a plan and a run with its option, its fit and its
// needs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "pipeline/run.h"

namespace zp {
namespace {

// Weights beyond a magnitude are cut to it.
class Cut final : public Coder {
 public:
  Cut() : Coder("cut", "weights cut to a magnitude") {
    take({number_within("at", "X", at_, 0.0, 1e6)});
  }

  std::optional<double> code(const Grid& grid, Matrix w, const InputStatistics&,
                             PlanesOut out) const override {
    std::vector<float> cut;
    for (std::int64_t r = 0; r < w.rows; ++r) {
      for (const float x : w.row(r))
        cut.push_back(std::clamp(x, static_cast<float>(-at_), static_cast<float>(at_)));
    }
    grid.quantize({cut.data(), w.rows, w.cols}, {}, Fit::range, out);
    return {};
  }
  Fit fit() const override { return Fit::range; }
  TileNeeds tile() const override { return {.floats = 4, .rows = 300}; }

 private:
  double at_ = 1;
};

TEST(Coder, OfOneFileGoesThroughAPlanAndARun) {
  const std::unique_ptr<LoadedModel> demo = load_model("models/demo");
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "zp_coder_test.gguf";
  const auto coder = std::make_shared<Cut>();
  EXPECT_EQ(coder->spec(), "cut:at=1");
  EXPECT_THROW(coder->set("`method`", "at=-1"), UsageError);
  EXPECT_THROW(coder->set("`method`", "beyond=1"), UsageError);
  coder->set("`method`", "at=0.03125");
  EXPECT_EQ(coder->spec(), "cut:at=0.03125");  // which runs that are resumed are told apart by

  Recipe recipe;
  recipe.targets = {parse_target("gguf:q8_0=" + path.string())};
  recipe.coder = coder;
  recipe.force = true;
  const Plan plan = make_plan(*demo, recipe);
  for (const TensorJob& job : plan.outputs.front().layout.jobs)
    EXPECT_GE(tile_rows(job, *plan.coder), std::min<std::int64_t>(300, job.rows->rows()));
  Silent silent;
  run_plan(plan, true, Team(2), silent);

  const std::unique_ptr<LoadedModel> written = load_model(path);
  float largest = 0;
  for (const Weight& weight : written->model.weights) {
    if (!weight.use.is_matrix()) continue;
    std::vector<float> row(static_cast<std::size_t>(weight.use.cols));
    for (std::int64_t r = 0; r < weight.use.rows; ++r) {
      weight.rows->read(r, 1, row.data());
      for (const float x : row) largest = std::max(largest, std::fabs(x));
    }
  }
  EXPECT_GT(largest, 0.031f);
  EXPECT_LT(largest, 0.0315f);  // q8_0's scale is rounded to FP16
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace zp
