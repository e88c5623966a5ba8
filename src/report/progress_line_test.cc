#include "report/progress_line.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

const ProgressText kText{"calibrate layer 13 of 32, attention_output", 0.37, "1.72 k tokens/s",
                         "1 h 05 min left"};

TEST(ProgressLine, FitsEveryWidth) {
  for (std::size_t columns = 1; columns <= 220; ++columns)
    EXPECT_LE(progress_line(kText, columns, true).size(), columns);
}

TEST(ProgressLine, DropsTheBarThenTheRateThenTheEndOfTheName) {
  EXPECT_EQ(progress_line(kText, 200, true),
            "[########................] calibrate layer 13 of 32, attention_output  37 %  1.72 k "
            "tokens/s  1 h 05 min left");
  EXPECT_EQ(progress_line(kText, 84, true),
            "calibrate layer 13 of 32, attention_output  37 %  1.72 k tokens/s  1 h 05 min left");
  EXPECT_EQ(progress_line(kText, 79, true),
            "calibrate layer 13 of 32, attention_output  37 %  1 h 05 min left");
  EXPECT_EQ(progress_line(kText, 50, true), "calibrate layer 13 of 32...  37 %  1 h 05 min left");
}

TEST(ProgressLine, ALogHasNoBar) {
  EXPECT_EQ(progress_line({"quantize", 0.5, "2 B/s", ""}, 200, false), "quantize  50 %  2 B/s");
}

}  // namespace
}  // namespace zp
