#include "pipeline/sizes.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace zp {
namespace {

TEST(Sizes, SeventyBillionAsTextbooksComputeIt) {
  std::vector<std::int64_t> gigabytes;
  for (const SizeRow& row : dtype_sizes(parse_parameters("70B")))
    gigabytes.push_back(row.bytes / 1'000'000'000);
  EXPECT_EQ(gigabytes, (std::vector<std::int64_t>{560, 280, 140, 70, 35}));
}

TEST(Sizes, SevenBillionInFp32Take28GB) {
  EXPECT_EQ(dtype_sizes(parse_parameters("7B"))[1].bytes, 28'000'000'000);
}

TEST(Sizes, GridsCountTheirScales) {
  for (const SizeRow& row : grid_sizes(1'000'000)) {
    if (row.name == "q4_0") {
      EXPECT_EQ(row.bytes, 562'500);  // 18 bytes for 32 weights
    }
    if (row.name == "q8_0") {
      EXPECT_EQ(row.bytes, 1'062'500);  // 34 bytes for 32 weights
    }
    if (row.name == "int4:g64:min:s16") {
      EXPECT_EQ(row.bytes, 562'500);  // 4 bytes for 64 weights
    }
  }
}

TEST(Sizes, KvCacheOfLlama3_2_1B) {
  Decoder d;
  d.layers = 16;
  d.kv_heads = 8;
  d.head_dim = 64;
  EXPECT_EQ(kv_cache_bytes(d, 4096), std::int64_t{2} * 16 * 8 * 64 * 4096 * 2);
}

TEST(Sizes, ParametersAreReadWithTheirUnit) {
  EXPECT_EQ(parse_parameters("3.8B"), 3'800'000'000);
  EXPECT_EQ(parse_parameters("124M"), 124'000'000);
  for (const char* wrong : {"", "B", "70b", "70 B", "-1B", "0", "nan", "1e40B"}) {
    EXPECT_THROW(parse_parameters(wrong), UsageError) << wrong;
  }
}

}  // namespace
}  // namespace zp
