#include "tensor/rows.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "base/error.h"
#include "kernel/every_instruction_set.h"
#include "kernel/matmul.h"
#include "number/convert.h"

namespace zp {
namespace {

std::vector<float> read_all(const RowReader& rows) {
  std::vector<float> out(static_cast<std::size_t>(rows.rows() * rows.cols()));
  rows.read(0, rows.rows(), out.data());
  return out;
}

// Reading by single rows must give what reading at once gives.
std::vector<float> read_each(const RowReader& rows) {
  std::vector<float> out(static_cast<std::size_t>(rows.rows() * rows.cols()));
  for (std::int64_t r = 0; r < rows.rows(); ++r) rows.read(r, 1, out.data() + r * rows.cols());
  return out;
}

// 0, 1, 2 ... as stored values, at an odd address.
struct Stored {
  Stored(DType dtype, std::size_t count) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), 0.0f);
    const Converter& c = converter(*find_float_format(info(dtype).name));
    held.resize(c.packed_bytes(count) + 1);
    c.from_float(values, held.data() + 1);
  }
  Bytes bytes() const { return Bytes(held).subspan(1); }
  std::vector<std::byte> held;
};

// A reader that is no stored matrix, so that wrappers can't look through it.
class Counting final : public RowReader {
 public:
  using RowReader::RowReader;
  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    most = std::max(most, count * cols());
    std::iota(out, out + count * cols(), static_cast<float>(begin * cols()));
  }
  mutable std::int64_t most = 0;
};

constexpr DType kFloating[] = {DType::f64,  DType::f32,     DType::f16,
                               DType::bf16, DType::f8_e4m3, DType::f8_e5m2};

TEST(Rows, ReshapedRowsAreTheSameValuesInOrder) {
  const Counting one_column(12, 1);
  const auto rows = reshaped_rows(one_column, 4, 3);
  EXPECT_EQ(read_all(*rows), read_all(one_column));
  EXPECT_EQ(read_each(*rows), read_all(one_column));
  EXPECT_THROW(reshaped_rows(one_column, 4, 4), Error);
  EXPECT_THROW(reshaped_rows(Counting(4, 3), 3, 4), Error);
}

TEST(Rows, ReadsEveryFloatingType) {
  for (const DType dtype : kFloating) {
    const Stored stored(dtype, 6);
    const auto rows = stored_rows(stored.bytes(), dtype, 2, 3);
    const std::vector<float> exact = {0, 1, 2, 3, 4, 5};
    EXPECT_EQ(read_all(*rows), exact) << info(dtype).name;
    EXPECT_EQ(read_each(*rows), exact);
  }
}

/// Products of the rows from `begin` on, under every instruction set, against those of what is
/// read.
void expect_products(const RowReader& rows, std::int64_t begin) {
  const std::vector<float> x = normal_floats(static_cast<std::size_t>(rows.cols()), 1);
  const std::vector<float> w = read_all(rows);
  std::vector<float> expected;
  for (std::int64_t r = begin; r < rows.rows(); ++r) {
    expected.push_back(dot(x, Matrix(w.data(), rows.rows(), rows.cols()).row(r)));
  }
  under_every_instruction_set([&] {
    std::vector<float> out(expected.size());
    rows.products(begin, x, out);
    expect_same_bits(out, expected);
  });
}

TEST(Rows, ProductsAreThoseOfWhatIsRead) {
  for (const DType dtype : kFloating) {
    // Groups of four rows and some more; whole sixteens and not.
    for (const std::int64_t cols : {32, 48, 33}) {
      SCOPED_TRACE(testing::Message() << info(dtype).name << " of " << cols);
      const std::int64_t rows = 7;
      const Stored stored(dtype, static_cast<std::size_t>(rows * cols));
      expect_products(*stored_rows(stored.bytes(), dtype, rows, cols), 0);
      expect_products(*stored_rows(stored.bytes(), dtype, rows, cols), 2);
      expect_products(*strided_rows(stored.bytes(), dtype, cols, rows, 1, cols), 1);
      const auto whole = stored_rows(stored.bytes(), dtype, rows, cols);
      expect_products(*slice_rows(*whole, 1, 5), 1);
      expect_products(*permuted_rows(*whole, [](std::int64_t row) { return 6 - row; }), 3);
    }
  }
  expect_products(Counting(3, 20), 1);
}

// FP16 and BF16: every bit pattern, NaN and infinities too.
TEST(Rows, ProductsTakeEveryStoredValue) {
  std::vector<std::byte> bytes(2 << 16);
  for (std::size_t i = 0; i < bytes.size() / 2; ++i) {
    const auto code = static_cast<std::uint16_t>(i);
    std::memcpy(bytes.data() + 2 * i, &code, sizeof code);
  }
  for (const DType dtype : {DType::f16, DType::bf16}) {
    expect_products(*stored_rows(bytes, dtype, 1 << 12, 16), 0);
  }
}

TEST(Rows, RoundsFp64) {
  const double value = 1 + 0x1p-24;
  const auto rows = stored_rows(std::as_bytes(std::span(&value, 1)), DType::f64, 1, 1);
  EXPECT_EQ(read_all(*rows), std::vector<float>{1.0f});
}

TEST(Rows, RefusesIntegersAndWrongSizes) {
  const std::vector<std::byte> bytes(24);
  EXPECT_THROW(stored_rows(bytes, DType::i32, 2, 3), Error);
  EXPECT_THROW(stored_rows(bytes, DType::f32, 2, 2), Error);
  EXPECT_THROW(stored_rows(bytes, DType::f32, 3, 3), Error);
  EXPECT_THROW(stored_rows(bytes, DType::f32, -2, -3), Error);
  EXPECT_THROW(stored_rows(bytes, DType::f32, std::int64_t{1} << 62, 4), Error);
  EXPECT_THROW(constant_rows({1, 2, 3}, 2, 2), Error);
}

TEST(Rows, HoldsNothing) {
  EXPECT_EQ(read_all(*stored_rows({}, DType::f16, 0, 5)).size(), 0u);
  EXPECT_EQ(read_all(*strided_rows({}, DType::f16, 4, 0, 0, 0)).size(), 0u);
}

TEST(Rows, ReadsStridedMatrices) {
  for (const DType dtype : kFloating) {
    const Stored stored(dtype, 12);
    const auto padded = strided_rows(stored.bytes(), dtype, 3, 2, 3, 1);
    EXPECT_EQ(read_all(*padded), (std::vector<float>{0, 1, 3, 4, 6, 7}));
    const auto columns = strided_rows(stored.bytes(), dtype, 2, 3, 1, 3);
    EXPECT_EQ(read_all(*columns), (std::vector<float>{0, 3, 6, 1, 4, 7}));
    EXPECT_EQ(read_each(*columns), read_all(*columns));
    const auto skipping = strided_rows(stored.bytes(), dtype, 2, 2, 6, 2);
    EXPECT_EQ(read_all(*skipping), (std::vector<float>{0, 2, 6, 8}));
    const auto repeated = strided_rows(stored.bytes(), dtype, 2, 3, 0, 2);
    EXPECT_EQ(read_all(*repeated), (std::vector<float>{0, 2, 4, 0, 2, 4}));
  }
}

TEST(Rows, RefusesStridesThatLeaveTheBytes) {
  const std::vector<std::byte> bytes(24);
  EXPECT_NO_THROW(strided_rows(bytes, DType::f32, 2, 3, 3, 1));
  EXPECT_THROW(strided_rows(bytes, DType::f32, 2, 3, 4, 1), Error);
  EXPECT_THROW(strided_rows(bytes, DType::f32, 2, 3, -3, 1), Error);
  EXPECT_THROW(strided_rows(bytes, DType::f32, 2, 3, std::int64_t{1} << 62, 1), Error);
  EXPECT_THROW(strided_rows({}, DType::f32, 1, 1, 0, 0), Error);
}

TEST(Rows, StacksReadersOfOneShape) {
  const auto first = constant_rows({0, 1, 2, 3}, 2, 2);
  const auto second = constant_rows({4, 5, 6, 7}, 2, 2);
  const std::vector<const RowReader*> both = {first.get(), second.get()};
  const auto behind = stacked_rows(both, false);
  EXPECT_EQ(read_all(*behind), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(read_each(*behind), read_all(*behind));
  const auto turns = stacked_rows(both, true);
  EXPECT_EQ(read_all(*turns), (std::vector<float>{0, 1, 4, 5, 2, 3, 6, 7}));
  EXPECT_EQ(read_each(*turns), read_all(*turns));
  const auto other = constant_rows({4, 5}, 1, 2);
  EXPECT_THROW(stacked_rows({first.get(), other.get()}, true), Error);
}

TEST(Rows, SlicesAndPermutes) {
  const Counting counted(4, 2);
  const auto all = constant_rows({0, 1, 2, 3, 4, 5, 6, 7}, 4, 2);
  const auto slice = slice_rows(*all, 1, 2);
  EXPECT_EQ(slice->rows(), 2);
  EXPECT_EQ(read_all(*slice), (std::vector<float>{2, 3, 4, 5}));
  EXPECT_EQ(read_each(*slice), read_all(*slice));
  EXPECT_THROW(slice_rows(*all, 3, 2), Error);
  EXPECT_THROW(slice_rows(*all, -1, 2), Error);
  EXPECT_THROW(slice_rows(*all, 1, 2, 3), Error);
  for (const RowReader* of : std::initializer_list<const RowReader*>{all.get(), &counted}) {
    const auto every_second = slice_rows(*of, 1, 2, 2);
    EXPECT_EQ(read_all(*every_second), (std::vector<float>{2, 3, 6, 7}));
    EXPECT_EQ(read_each(*every_second), read_all(*every_second));
    expect_products(*every_second, 0);
  }
  const auto columns = transposed_rows(*all);
  EXPECT_EQ(read_all(*slice_rows(*columns, 1, 1)), (std::vector<float>{1, 3, 5, 7}));

  const auto reversed = permuted_rows(*all, [](std::int64_t r) { return 3 - r; });
  EXPECT_EQ(read_all(*reversed), (std::vector<float>{6, 7, 4, 5, 2, 3, 0, 1}));
  EXPECT_EQ(read_each(*reversed), read_all(*reversed));
}

TEST(Rows, TransposesStoredRows) {
  const Stored stored(DType::bf16, 6);
  const auto rows = stored_rows(stored.bytes(), DType::bf16, 2, 3);
  const auto turned = transposed_rows(*rows);
  EXPECT_EQ(turned->rows(), 3);
  EXPECT_EQ(read_all(*turned), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(read_each(*turned), read_all(*turned));
  EXPECT_EQ(read_all(*transposed_rows(*turned)), read_all(*rows));
}

TEST(Rows, TransposesAnyReaderWithoutHoldingIt) {
  const Counting rows(3000, 401);
  const auto turned = transposed_rows(rows);
  std::vector<float> out(2 * 3000);
  turned->read(399, 2, out.data());
  for (std::size_t r = 0; r < 3000; ++r) {
    ASSERT_EQ(out[r], static_cast<float>(r * 401 + 399));
    ASSERT_EQ(out[3000 + r], static_cast<float>(r * 401 + 400));
  }
  EXPECT_LE(rows.most, 3000 * 401 / 4);
  EXPECT_EQ(read_each(*transposed_rows(*constant_rows({1, 2, 3, 4, 5, 6}, 2, 3))),
            (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

}  // namespace
}  // namespace zp
