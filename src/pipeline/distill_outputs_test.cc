// Outputs of the bundled model, distilled: what is written is what was trained.
#include "pipeline/distill_outputs.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "pipeline/quantize.h"
#include "pipeline/text_files.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

class DistillOutputs : public testing::Test {
 protected:
  DistillOutputs()
      : folder_(fs::temp_directory_path() /
                (std::string("zeropoint_distill_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  ~DistillOutputs() override { fs::remove_all(folder_); }

  QuantizeRequest request(const std::string& target) const {
    QuantizeRequest out;
    out.model = "models/demo";
    out.to = {target + "=" + (folder_ / "out").string()};
    out.calibrate = {"models/demo/heldout.jsonl"};
    out.tokens = 512;
    out.context = 64;
    out.distill = "scales:passes=1,batch=4,rate=0.002";
    return out;
  }

  fs::path folder_;
  Team team_{2};
  Silent silent_;
};

std::vector<float> all_of(const RowReader& rows) {
  std::vector<float> out(static_cast<std::size_t>(rows.rows() * rows.cols()));
  rows.read(0, rows.rows(), out.data());
  return out;
}

// The same training by hand, from the same output before it.
TEST_F(DistillOutputs, AreWrittenAsTheyWereTrained) {
  for (const char* target : {"mlx:int3:g64", "gguf:q2_k"}) {
    QuantizeRequest asked = request(target);
    const DistillOptions options = parse_distill(asked.distill);
    asked.distill.clear();
    const QuantizeOutcome plain = quantize(asked, team_, silent_);
    const auto start = load_model(plain.plan.outputs.front().path);
    std::vector<TrainedWeight> weights;
    for (const TensorJob& job : plain.plan.outputs.front().layout.jobs) {
      if (job.weight != nullptr && is_matrix(job.weight->use.place.role))
        weights.push_back(
            {job.weight->use.place, job.grid, start->model.find(job.weight->use.place)->rows});
    }
    ASSERT_GT(weights.size(), 10u);
    Windows windows =
        calibration_windows(read_documents(asked.calibrate), &*plain.loaded->tokenizer, "",
                            *asked.tokens, asked.context);
    const Windows held_out = hold_out(windows);
    const Distilled expected = distill(plain.loaded->model, start->model, weights, windows,
                                       held_out, options, team_, silent_);
    ASSERT_GT(expected.best, 0u) << target;

    QuantizeRequest trained = request(target);
    trained.force = true;
    const QuantizeOutcome done = quantize(trained, team_, silent_);
    const DistilledOutput& came = done.distilled.front();
    EXPECT_EQ(came.after(), expected.looks[expected.best].held_out);
    EXPECT_LT(came.after(), came.before());
    EXPECT_EQ(came.trained, std::ssize(weights));
    EXPECT_EQ(came.left, 0);
    const auto written = load_model(done.plan.outputs.front().path);
    for (std::size_t i = 0; i < weights.size(); ++i)
      EXPECT_EQ(all_of(*written->model.find(weights[i].place)->rows),
                all_of(expected.matrices[i]->coded()))
          << target << ", " << role_name(weights[i].place.role);
    // Those of the outputs were of what stood there before.
    EXPECT_FALSE(done.run->outputs.front().outputs);
    EXPECT_NE(done.run->outputs.front().energy.error, plain.run->outputs.front().energy.error);
    fs::remove_all(done.plan.outputs.front().path);
  }
}

// Of one container, with paths that are made from their grids.
TEST_F(DistillOutputs, KeepTheirOwnGrids) {
  const fs::path project = fs::current_path();
  QuantizeRequest asked = request("mlx");
  asked.model = fs::absolute(asked.model).string();
  asked.calibrate = {fs::absolute(asked.calibrate.front()).string()};
  asked.to = {"mlx:int3:g64", "mlx:int2:g64"};
  asked.tokens = 256;
  fs::current_path(folder_);
  const QuantizeOutcome done = quantize(asked, team_, silent_);
  for (std::size_t i = 0; i < 2; ++i) {
    const PlannedOutput& output = done.plan.outputs[i];
    ASSERT_GT(done.distilled[i].best, 0u) << output.grid;
    std::int64_t bytes = 0;
    for (const auto& file : fs::directory_iterator(output.path))
      bytes += static_cast<std::int64_t>(file.file_size());
    EXPECT_EQ(bytes, output.layout.bytes()) << output.grid;
  }
  fs::current_path(project);
}

TEST_F(DistillOutputs, AreRefusedWhereTheyCantBe) {
  QuantizeRequest asked = request("gguf:q4_k");
  asked.memory = 1 << 20;
  EXPECT_THROW(quantize(asked, team_, silent_), Error);
  EXPECT_TRUE(fs::is_empty(folder_));
  asked = request("gguf:q4_k");
  asked.calibrate.clear();
  EXPECT_THROW(quantize(asked, team_, silent_), UsageError);
  asked = request("gguf:q4_k");
  asked.distill = "everything";
  EXPECT_THROW(quantize(asked, team_, silent_), UsageError);
}

TEST(ParseDistill, TakesWhatItPrints) {
  const DistillOptions options = parse_distill("all:passes=3,rate=0.5");
  EXPECT_EQ(options.learned, Learned::all);
  EXPECT_EQ(options.passes, 3);
  EXPECT_EQ(options.rate, 0.5);
  EXPECT_EQ(distill_text(parse_distill(distill_text(options))), distill_text(options));
  EXPECT_THROW(parse_distill("all:rate=0"), UsageError);
  EXPECT_THROW(parse_distill("scales:passes"), UsageError);
}

}  // namespace
}  // namespace zp
