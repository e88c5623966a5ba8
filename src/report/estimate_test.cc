#include "report/estimate.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

TEST(Estimate, KnowsTheWholeJobBeforeItsLaterStages) {
  Estimate job;
  job.expect({{"calibrate", 400, 0.1}, {"quantize", 1000, 0.01}, {"evaluate", 50, 0.2}});
  job.stage("calibrate layer 1 of 2", 200, 0);
  EXPECT_NEAR(*job.seconds_left(), 60, 1e-9) << "as guessed";
  job.advance(100, 20);  // twice as slow as guessed: so is what comes
  EXPECT_NEAR(*job.seconds_left(), 300 * 0.2 + 2 * (1000 * 0.01 + 50 * 0.2), 1e-9);
  EXPECT_NEAR(job.share(), 20 / 120.0, 1e-9);
  EXPECT_NEAR(job.rate(), 5, 1e-9);
  job.advance(100, 40);
  job.stage("quantize", 500, 40);
  job.advance(500, 42);  // has its own rate now
  EXPECT_NEAR(*job.seconds_left(), 200 * 0.2 + 500 * 0.004 + 50 * 0.2 * 42 / 25, 1e-9);
}

TEST(Estimate, WhatWasExpectedAndDidNotComeIsOverWhenLaterWorkBegins) {
  Estimate job;
  job.expect({{"measure", 100, 1}, {"verify", 100, 1}, {"quantize", 100, 1}, {"evaluate", 10, 1}});
  job.stage("verify", 10, 0);
  job.advance(10, 10);
  job.stage("evaluate", 10, 10);
  EXPECT_NEAR(*job.seconds_left(), 10 + 100, 1e-9) << "quantize may go on in turns, verify not";
}

TEST(Estimate, FallsWhileALongUnitIsUnderWay) {
  Estimate job;
  job.expect({{"calibrate", 400, 0.1}});
  job.stage("calibrate layer 1 of 2", 200, 0);
  job.advance(100, 20);
  EXPECT_NEAR(*job.seconds_left(), 60, 1e-9);
  job.advance(0, 30);
  EXPECT_NEAR(*job.seconds_left(), 50, 1e-9);
  job.advance(0, 45);
  EXPECT_NEAR(*job.seconds_left(), 40, 1e-9) << "the stage can't be more than over";
  EXPECT_NEAR(job.share(), 45 / 85.0, 1e-9);
  job.advance(100, 45);
  EXPECT_NEAR(*job.seconds_left(), 45, 1e-9) << "at the rate it had in the end";
}

TEST(Estimate, WithoutExpectationsAStageIsTheJob) {
  Estimate job;
  job.stage("evaluate", 200, 5);
  EXPECT_FALSE(job.seconds_left());
  EXPECT_EQ(job.share(), 0);
  job.advance(50, 15);
  EXPECT_NEAR(*job.seconds_left(), 30, 1e-9);
  EXPECT_NEAR(job.share(), 0.25, 1e-9);
}

}  // namespace
}  // namespace zp
