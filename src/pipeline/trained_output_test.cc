// Outputs of the bundled model, refined and distilled: what is written is what was trained.
#include "pipeline/trained_output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "pipeline/quantize.h"
#include "pipeline/short_demo.h"
#include "pipeline/text_files.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

class TrainedOutputs : public testing::Test {
 protected:
  TrainedOutputs()
      : folder_(fs::temp_directory_path() /
                (std::string("zeropoint_trained_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    sample::write_short_demo(folder_ / "demo");
  }
  ~TrainedOutputs() override { fs::remove_all(folder_); }

  QuantizeRequest request(const std::string& target) const {
    QuantizeRequest out;
    out.model = (folder_ / "demo").string();
    out.to = {target + "=" + (folder_ / "out").string()};
    out.calibrate = {"models/demo/heldout.jsonl"};
    out.tokens = 512;
    out.context = 64;
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

// An output before it is trained, and the windows that are learned from.
struct Start {
  Start(const QuantizeRequest& request, const Team& team, Progress& progress)
      : plain(quantize(request, team, progress)),
        output(plain.plan, 0, *plain.loaded),
        windows(calibration_windows(read_documents(request.calibrate), &*plain.loaded->tokenizer,
                                    "", *request.tokens, request.context)),
        held_out(hold_out(windows)) {}
  QuantizeOutcome plain;
  TrainedOutput output;
  Windows windows;
  Windows held_out;
};

void expect_written(const QuantizeOutcome& done, std::span<const TrainedWeight> weights,
                    const Learner::Matrices& matrices) {
  const auto written = load_model(done.plan.outputs.front().path);
  for (std::size_t i = 0; i < weights.size(); ++i)
    EXPECT_EQ(all_of(*written->model.find(weights[i].place)->rows), all_of(matrices[i]->coded()))
        << done.plan.outputs.front().grid << ", " << role_name(weights[i].place.role);
}

// The same training by hand, from the same output before it.
TEST_F(TrainedOutputs, AreWrittenAsTheyWereDistilled) {
  for (const char* target : {"mlx:int3:g64", "gguf:q2_k"}) {
    QuantizeRequest asked = request(target);
    const Start start(asked, team_, silent_);
    asked.distill = "scales:passes=1,batch=4,rate=0.002";
    ASSERT_EQ(start.output.weights().size(), 8u);
    const Distilled expected =
        distill(start.plain.loaded->model, start.output.model(), start.output.weights(),
                start.windows, start.held_out, parse_distill(asked.distill), team_, silent_);
    ASSERT_GT(expected.best, 0u) << target;
    asked.force = true;
    const QuantizeOutcome done = quantize(asked, team_, silent_);
    const DistilledOutput& came = done.distilled.front();
    EXPECT_EQ(came.after(), expected.looks[expected.best].held_out);
    EXPECT_LT(came.after(), came.before());
    EXPECT_EQ(came.trained, std::ssize(start.output.weights()));
    EXPECT_EQ(came.left, 0);
    expect_written(done, start.output.weights(), expected.matrices);
    // Those of the outputs were of what stood there before.
    EXPECT_FALSE(done.run->outputs.front().outputs);
    EXPECT_NE(done.run->outputs.front().energy.error,
              start.plain.run->outputs.front().energy.error);
    fs::remove_all(done.plan.outputs.front().path);
  }
}

TEST_F(TrainedOutputs, AreWrittenAsTheyWereRefined) {
  for (const char* target : {"mlx:int2:g64", "gguf:q2_k"}) {
    QuantizeRequest asked = request(target);
    const Start start(asked, team_, silent_);
    asked.refine = "blocks:steps=4,batch=2";
    std::vector<TrainedWeight> weights;
    std::ranges::copy_if(start.output.weights(), std::back_inserter(weights),
                         [](const TrainedWeight& w) { return w.place.layer >= 0; });
    const Refined expected =
        refine(start.plain.loaded->model, start.output.model(), weights, start.windows,
               start.held_out, parse_refine(asked.refine), team_, silent_);
    ASSERT_LT(expected.after, expected.before) << target;
    asked.force = true;
    const QuantizeOutcome done = quantize(asked, team_, silent_);
    const RefinedOutput& came = done.refined.front();
    EXPECT_EQ(came.before, expected.before);
    EXPECT_EQ(came.after, expected.after);
    EXPECT_EQ(came.layers.size(), expected.layers.size());
    EXPECT_EQ(came.trained, std::ssize(weights));
    expect_written(done, weights, expected.matrices);
    fs::remove_all(done.plan.outputs.front().path);
  }
}

// One behind the other: what is distilled begins with what was refined.
TEST_F(TrainedOutputs, AreRefinedThenDistilled) {
  QuantizeRequest asked = request("mlx:int2:g64");
  asked.refine = "blocks:steps=4";
  const QuantizeOutcome refined = quantize(asked, team_, silent_);
  ASSERT_TRUE(refined.refined.front().better());
  asked.force = true;
  asked.distill = "scales:passes=1";
  const QuantizeOutcome both = quantize(asked, team_, silent_);
  EXPECT_EQ(both.refined.front().after, refined.refined.front().after);
  ASSERT_GT(both.distilled.front().best, 0u);
  asked.refine.clear();
  const QuantizeOutcome distilled = quantize(asked, team_, silent_);
  EXPECT_LT(both.distilled.front().before(), distilled.distilled.front().before());
}

// Of one container, with paths that are made from their grids.
TEST_F(TrainedOutputs, KeepTheirOwnGrids) {
  const fs::path project = fs::current_path();
  QuantizeRequest asked = request("mlx");
  asked.distill = "scales:passes=1,batch=4,rate=0.002";
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

TEST_F(TrainedOutputs, AreRefusedWhereTheyCantBe) {
  const auto with = [&](std::string QuantizeRequest::*field, const char* words) {
    QuantizeRequest asked = request("gguf:q4_k");
    asked.*field = words;
    return asked;
  };
  for (const auto& [field, words] : {std::pair(&QuantizeRequest::distill, "scales"),
                                     std::pair(&QuantizeRequest::refine, "blocks")}) {
    QuantizeRequest asked = with(field, words);
    asked.memory = 1 << 20;
    EXPECT_THROW(quantize(asked, team_, silent_), Error) << words;
    EXPECT_FALSE(fs::exists(folder_ / "out")) << words;
    asked = with(field, words);
    asked.calibrate.clear();
    EXPECT_THROW(quantize(asked, team_, silent_), UsageError) << words;
    EXPECT_THROW(quantize(with(field, "everything"), team_, silent_), UsageError);
  }
}

TEST(ParseRefine, TakesWhatItPrints) {
  const RefineOptions options = parse_refine("blocks:steps=30,rate=0.5");
  EXPECT_EQ(options.schedule.steps, 30);
  EXPECT_EQ(options.schedule.rate, 0.5);
  EXPECT_EQ(refine_text(parse_refine(refine_text(options))), refine_text(options));
  EXPECT_THROW(parse_refine("blocks:steps=-1"), UsageError);
}

TEST(ParseDistill, TakesWhatItPrints) {
  const DistillOptions options = parse_distill("all:passes=3,rate=0.5");
  EXPECT_EQ(options.learned, Learned::all);
  EXPECT_EQ(options.schedule.passes, 3);
  EXPECT_EQ(options.schedule.rate, 0.5);
  EXPECT_EQ(distill_text(parse_distill(distill_text(options))), distill_text(options));
  EXPECT_THROW(parse_distill("all:rate=0"), UsageError);
  EXPECT_THROW(parse_distill("scales:passes"), UsageError);
}

}  // namespace
}  // namespace zp
