// Calibration of the bundled model: what GPTQ leaves of a layer's output error.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "calibrate/calibration.h"
#include "calibrate/windows.h"
#include "pipeline/load.h"
#include "text/dataset.h"

namespace zp {
namespace {

const std::string kDemo = "models/demo";

std::vector<std::vector<TokenId>> windows_of(const LoadedModel& demo, std::int64_t tokens,
                                             std::int64_t context) {
  return calibration_windows(read_dataset(kDemo + "/heldout.jsonl"), &*demo.tokenizer, kDemo,
                             tokens, context);
}

CalibrationOptions float_statistics(bool feedback) {
  CalibrationOptions options;
  options.feedback = feedback;
  options.method.upstream = false;
  return options;
}

std::vector<float> decoded(const Grid& grid, const Coder& coder, Matrix w,
                           const InputStatistics& inputs) {
  std::vector<std::vector<std::byte>> planes;
  std::vector<std::byte*> out;
  for (std::size_t p = 0; p < grid.planes().size(); ++p)
    planes.emplace_back(static_cast<std::size_t>(w.rows * grid.row_bytes(p, w.cols)));
  for (auto& plane : planes) out.push_back(plane.data());
  coder.code(grid, w, inputs, out);
  std::vector<float> q(static_cast<std::size_t>(w.rows * w.cols));
  const std::vector<const std::byte*> in(out.begin(), out.end());
  grid.decode(in, {q.data(), w.rows, w.cols});
  return q;
}

// tr(D H D^T), D = W - Q, H damped: the squares of D R, where H = R R^T and R U = 1, U^T the
// factor.
double output_error(Matrix w, const std::vector<float>& q, Matrix factor) {
  double sum = 0;
  std::vector<double> y(static_cast<std::size_t>(w.cols));
  for (std::int64_t r = 0; r < w.rows; ++r) {
    for (std::size_t j = 0; j < y.size(); ++j) {
      const Floats u = factor.row(static_cast<std::int64_t>(j));  // column j of U
      double rest =
          static_cast<double>(w.row(r)[j]) - q[static_cast<std::size_t>(r) * y.size() + j];
      for (std::size_t i = 0; i < j; ++i) rest -= y[i] * u[i];
      y[j] = rest / u[j];
      sum += y[j] * y[j];
    }
  }
  return sum;
}

TEST(Calibrated, GptqLeavesLessOfEveryLayersOutputErrorThanMse) {
  const auto demo = load_model(kDemo);
  const Team team(2);
  Calibration calibration(demo->model, windows_of(*demo, 4096, 128), float_statistics(true), team);
  EXPECT_EQ(calibration.tokens(), 4096);
  Silent silent;
  int linears = 0;
  for (std::int64_t layer = 0; layer < demo->model.decoder.layers; ++layer) {
    calibration.next(silent);
    for (const Weight& weight : demo->model.weights) {
      const InputStatistics inputs = calibration.of(weight, 0);
      const bool known = weight.use.place.layer == layer && is_matrix(weight.use.place.role);
      ASSERT_EQ(inputs.feedback.cols, known ? weight.use.cols : 0) << weight.use.hf;
      if (!known) continue;
      ++linears;
      ASSERT_EQ(inputs.importance.size(), static_cast<std::size_t>(weight.use.cols));
      const std::int64_t rows = std::min(weight.use.rows, std::int64_t{64});
      std::vector<float> values(static_cast<std::size_t>(rows * weight.use.cols));
      weight.rows->read(0, rows, values.data());
      const Matrix w(values.data(), rows, weight.use.cols);
      for (const char* spec : {"int4:g32", "q4_k", "int3:g64"}) {
        const auto grid = make_grid(spec);
        const auto error = [&](const char* method) {
          return output_error(w, decoded(*grid, *make_coder(method), w, inputs), inputs.feedback);
        };
        EXPECT_LT(error("gptq"), error("mse")) << spec << ", " << weight.use.hf;
      }
    }
  }
  EXPECT_EQ(linears, 4 * 7);
}

TEST(Calibrated, OneWindowOfSixteenIsHeldOut) {
  for (const std::size_t count : {1u, 15u, 16u, 31u, 32u, 100u}) {
    std::vector<std::vector<TokenId>> windows;
    for (std::size_t i = 0; i < count; ++i) windows.push_back({static_cast<TokenId>(i)});
    const std::vector<std::vector<TokenId>> held_out = hold_out(windows);
    EXPECT_EQ(held_out.size(), count / 16);
    EXPECT_EQ(windows.size() + held_out.size(), count);
    EXPECT_EQ(windows.front().front(), 0);
    EXPECT_EQ(windows.back().back(), static_cast<TokenId>(count - 1));
    EXPECT_TRUE(std::ranges::is_sorted(windows));
    for (std::size_t i = 0; i < held_out.size(); ++i)
      EXPECT_EQ(held_out[i].front(), static_cast<TokenId>(16 * i + 8));
  }
}

// What is held out changes nothing of what is known of the text.
TEST(Calibrated, HeldOutWindowsAreInNoStatistics) {
  const auto demo = load_model(kDemo);
  const Team team(2);
  for (const bool upstream : {false, true}) {
    CalibrationOptions options = float_statistics(true);
    options.method.upstream = upstream;
    Calibration plain(demo->model, windows_of(*demo, 512, 64), options, team);
    options.held_out = windows_of(*demo, 128, 64);
    Calibration with(demo->model, windows_of(*demo, 512, 64), options, team);
    EXPECT_EQ(with.tokens(), plain.tokens());
    EXPECT_GT(with.bytes(), plain.bytes());
    Silent silent;
    for (int stage = 0; stage < 2; ++stage) {
      plain.next(silent);
      with.next(silent);
    }
    int known = 0;
    for (const Weight& weight : demo->model.weights) {
      const InputStatistics expected = plain.of(weight, 0);
      const InputStatistics found = with.of(weight, 0);
      ASSERT_EQ(found.feedback.cols, expected.feedback.cols);
      known += found.feedback.cols > 0 ? 1 : 0;
      for (std::int64_t r = 0; r < found.feedback.rows; ++r) {
        ASSERT_TRUE(std::ranges::equal(found.moments.row(r), expected.moments.row(r)));
        ASSERT_TRUE(std::ranges::equal(found.feedback.row(r), expected.feedback.row(r)));
      }
    }
    EXPECT_GT(known, 0);
  }
}

TEST(Calibrated, SamplesAreOfEveryFourthTokenOfTheTextAndOfWhatIsHeldOut) {
  const auto demo = load_model(kDemo);
  const Team team(2);
  CalibrationOptions options = float_statistics(true);
  options.held_out = windows_of(*demo, 512, 64);
  std::ranges::reverse(options.held_out);
  Calibration calibration(demo->model, windows_of(*demo, 512, 64), options, team);
  Silent silent;
  calibration.next(silent);
  int known = 0;
  for (const Weight& weight : demo->model.weights) {
    const SampledInputs samples = calibration.samples(weight, 0);
    if (calibration.of(weight, 0).moments.cols == 0) {
      EXPECT_EQ(samples.seen.came.rows, 0);
      continue;
    }
    ++known;
    const std::int64_t rows = 512 / InputSamples::kEvery;
    const std::int64_t of_window = 64 / InputSamples::kEvery;
    ASSERT_EQ(samples.seen.came.rows, rows);
    ASSERT_EQ(samples.held_out.came.rows, rows);
    EXPECT_EQ(samples.seen.came.data, samples.seen.expected.data);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t other = rows - of_window - r + 2 * (r % of_window);
      ASSERT_TRUE(std::ranges::equal(samples.seen.came.row(r), samples.held_out.came.row(other)));
    }
  }
  EXPECT_EQ(known, 7);
}

TEST(Calibrated, ImportanceAloneIsThatOfTheSecondMoments) {
  const auto demo = load_model(kDemo);
  const Team team(2);
  Calibration full(demo->model, windows_of(*demo, 512, 64), float_statistics(true), team);
  Calibration squares(demo->model, windows_of(*demo, 512, 64), float_statistics(false), team);
  EXPECT_LT(squares.bytes(), full.bytes());
  Silent silent;
  full.next(silent);
  squares.next(silent);
  for (const Weight& weight : demo->model.weights) {
    const Floats expected = full.of(weight, 0).importance;
    const Floats found = squares.of(weight, 0).importance;
    EXPECT_TRUE(squares.of(weight, 0).feedback.cols == 0);
    ASSERT_EQ(found.size(), expected.size());
    // 512 squares summed in FP32 on one side: 512 roundings of at most 2^-24.
    for (std::size_t j = 0; j < found.size(); ++j)
      ASSERT_NEAR(found[j], expected[j], expected[j] * 512 * 0x1p-24) << weight.use.hf;
  }
}

// Weights as they are: whatever stands behind them meets what it always met.
class SameRows final : public RowReader {
 public:
  explicit SameRows(const RowReader& of) : RowReader(of.rows(), of.cols()), of_(of) {}
  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_.read(begin, count, out);
  }

 private:
  const RowReader& of_;
};

// Weights off by a share of them.
class ScaledRows final : public RowReader {
 public:
  ScaledRows(const RowReader& of, float by) : RowReader(of.rows(), of.cols()), of_(of), by_(by) {}
  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_.read(begin, count, out);
    for (std::int64_t i = 0; i < count * cols(); ++i) out[i] *= by_;
  }

 private:
  const RowReader& of_;
  float by_;
};

float largest(Matrix m) {
  float most = 0;
  for (std::int64_t r = 0; r < m.rows; ++r) {
    for (const float x : m.row(r)) most = std::max(most, std::fabs(x));
  }
  return most;
}

TEST(Calibrated, StagesSeeWhatTheLayersBeforeHaveBecome) {
  const auto demo = load_model(kDemo);
  const Team team(2);
  CalibrationOptions options;
  options.feedback = true;
  options.outputs = 2;  // the first stays as it is, the second's first values shrink
  Calibration calibration(demo->model, windows_of(*demo, 512, 64), options, team);
  Silent silent;
  std::map<std::int64_t, int> of_stage;
  for (std::int64_t stage = 0; stage < calibration.stages(); ++stage) {
    calibration.next(silent);
    for (const Weight& weight : demo->model.weights) {
      if (calibration.stage_of(weight) != stage || !calibration.wants(weight)) continue;
      ++of_stage[stage];
      const InputStatistics same = calibration.of(weight, 0);
      const InputStatistics other = calibration.of(weight, 1);
      ASSERT_EQ(same.feedback.cols, weight.use.cols) << weight.use.hf;
      EXPECT_EQ(largest(same.drift), 0) << weight.use.hf;
      const bool first = weight.use.place.layer == 0 && weight.use.place.role <= Role::value;
      EXPECT_EQ(largest(other.drift) > 0, !first && stage > 1) << weight.use.hf;
      calibration.coded(weight, 0, std::make_unique<SameRows>(*weight.rows));
      const float by =
          weight.use.place.layer == 0 && weight.use.place.role == Role::value ? 0.5f : 1.0f;
      calibration.coded(weight, 1, std::make_unique<ScaledRows>(*weight.rows, by));
    }
  }
  // Nothing is known before the layers; then query with key and value, the attention's output, gate
  // with up, down; the tied embedding is the head.
  EXPECT_EQ(of_stage.size(), 4u * 4 + 1);
  EXPECT_EQ(of_stage[1], 3);
  EXPECT_EQ(of_stage[calibration.stages() - 1], 1);
}

TEST(Calibrated, WhatIsKeptIsWhatWouldBeComputedAgain) {
  const auto demo = load_model(kDemo);
  const Team team(2);
  CalibrationOptions options;
  options.feedback = true;
  Calibration again(demo->model, windows_of(*demo, 512, 64), options, team);
  options.memory_bytes = std::int64_t{1} << 32;
  Calibration kept(demo->model, windows_of(*demo, 512, 64), options, team);
  EXPECT_GT(kept.bytes(), again.bytes());
  Silent silent;
  const auto bits = [](Matrix m) {
    std::vector<float> all;
    for (std::int64_t r = 0; r < m.rows; ++r)
      all.insert(all.end(), m.row(r).begin(), m.row(r).end());
    return all;
  };
  bool drifts = false;
  for (std::int64_t stage = 0; stage < kept.stages(); ++stage) {
    for (Calibration* calibration : {&again, &kept}) calibration->next(silent);
    for (const Weight& weight : demo->model.weights) {
      if (kept.stage_of(weight) != stage || !kept.wants(weight)) continue;
      const InputStatistics expected = again.of(weight, 0);
      const InputStatistics found = kept.of(weight, 0);
      EXPECT_EQ(bits(found.moments), bits(expected.moments)) << weight.use.hf;
      EXPECT_EQ(bits(found.drift), bits(expected.drift)) << weight.use.hf;
      drifts = drifts || largest(found.drift) > 0;
      for (Calibration* calibration : {&again, &kept})
        calibration->coded(weight, 0, std::make_unique<ScaledRows>(*weight.rows, 0.9f));
    }
  }
  EXPECT_TRUE(drifts);
}

TEST(CalibrationWindows, AreSpreadOverTheTextAndBeginWithBos) {
  const auto demo = load_model(kDemo);
  const auto all = windows_of(*demo, 1 << 20, 100);
  const auto some = windows_of(*demo, 1099, 100);
  ASSERT_EQ(some.size(), 10u);
  EXPECT_GT(all.size(), 100u);
  for (std::size_t i = 0; i < some.size(); ++i) {
    ASSERT_EQ(some[i].size(), 100u);
    EXPECT_EQ(some[i], all[i * all.size() / 10]);
    EXPECT_EQ(some[i].front(), 1531);  // models/demo/config.json: bos_token_id
  }
}

TEST(CalibrationWindows, RefuseTooLittle) {
  const auto demo = load_model(kDemo);
  EXPECT_THROW(windows_of(*demo, 99, 100), Error);
  EXPECT_THROW(windows_of(*demo, 1 << 20, 1 << 20), Error);
  EXPECT_THROW(windows_of(*demo, 10, 0), Error);
  EXPECT_THROW(calibration_windows({}, nullptr, "model", 10, 10), Error);
}

}  // namespace
}  // namespace zp
