#include "tensor/same_values.h"

#include <gtest/gtest.h>

#include <bit>

namespace zp {
namespace {

Tensor mapped(DType dtype, const std::vector<std::uint32_t>& bits, std::int64_t rows) {
  const auto cols = static_cast<std::int64_t>(bits.size()) / rows *
                    static_cast<std::int64_t>(sizeof(bits[0])) / info(dtype).bytes;
  Tensor t;
  t.type = info(dtype).name;
  t.shape = {rows, cols};
  t.stored = std::as_bytes(std::span(bits));
  t.rows = stored_rows(t.stored, dtype, rows, cols);
  return t;
}

// 1, 2, 3, 4 as FP32 and as BF16 in pairs.
const std::vector<std::uint32_t> kFp32 = {0x3f800000, 0x40000000, 0x40400000, 0x40800000};
const std::vector<std::uint32_t> kBf16 = {0x40003f80, 0x40804040};

TEST(SameValues, BytesOfOneTypeAreCompared) {
  const std::vector<std::uint32_t> copy = kFp32;
  std::vector<std::uint32_t> other = kFp32;
  other.back() ^= 1;
  const Tensor a = mapped(DType::f32, kFp32, 2);
  EXPECT_TRUE(same_values(a, a));
  EXPECT_TRUE(same_values(a, mapped(DType::f32, copy, 2)));
  EXPECT_FALSE(same_values(a, mapped(DType::f32, other, 2)));
}

TEST(SameValues, OfTwoTypesTheNumbersAreCompared) {
  const Tensor a = mapped(DType::f32, kFp32, 2);
  EXPECT_TRUE(same_values(a, mapped(DType::bf16, kBf16, 2)));
  EXPECT_TRUE(same_values(mapped(DType::bf16, kBf16, 2), a));
  std::vector<std::uint32_t> finer = kFp32;
  finer.back() ^= 1;  // no BF16 number
  EXPECT_FALSE(same_values(mapped(DType::f32, finer, 2), mapped(DType::bf16, kBf16, 2)));
}

TEST(SameValues, ADifferenceInTheLastRowOfManyIsFound) {
  constexpr std::int64_t kRows = 70'001;
  std::vector<float> values(kRows * 5, 0.5f);
  Tensor a;
  Tensor b;
  a.rows = constant_rows(values, kRows, 5);
  b.rows = constant_rows(values, kRows, 5);
  EXPECT_TRUE(same_values(a, b));
  values.back() = 0.25f;
  b.rows = constant_rows(values, kRows, 5);
  EXPECT_FALSE(same_values(a, b));
}

}  // namespace
}  // namespace zp
