#include "kernel/changes.h"

#include "kernel/every_instruction_set.h"
#include "kernel/transpose.h"

namespace zp {
namespace {

TEST(AddOuter, RoundsProductsAndSumsByThemselves) {
  for (const std::int64_t count : {1, 15, 16, 17, 100}) {
    const std::vector<float> row = normal_floats(static_cast<std::size_t>(count), 1);
    const std::vector<float> factors = normal_floats(5, 2);
    const std::vector<float> before = normal_floats(static_cast<std::size_t>(5 * (count + 3)), 3);
    std::vector<float> expected = before;
    for (std::int64_t i = 0; i < 5; ++i) {
      for (std::int64_t r = 0; r < count; ++r) {
        const float product =
            factors[static_cast<std::size_t>(i)] * row[static_cast<std::size_t>(r)];
        expected[static_cast<std::size_t>(i * (count + 3) + r)] += product;
      }
    }
    under_every_instruction_set([&] {
      std::vector<float> out = before;
      add_outer(factors, row, {out.data(), 5, count, count + 3});
      expect_same_bits(out, expected);
    });
  }
}

// Rows of out, of which one has no change, each with its own changes in ascending order.
TEST(AddChangedRows, IsOneChangeAfterTheOther) {
  constexpr std::int64_t kRows = 5, kChanged = 9;
  for (const std::int64_t cols : {1, 3, 63, 64, 65, 200}) {
    const std::int64_t stride = cols + 7;
    const std::vector<float> v = normal_floats(static_cast<std::size_t>(kChanged * stride), 4);
    const std::vector<float> before = normal_floats(static_cast<std::size_t>(kRows * stride), 5);
    std::vector<float> p = normal_floats(kChanged * kRows, 6);
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (i % 3 == 0 || i % kRows == 2) p[i] = 0;
    }
    const Matrix rows(v.data(), kChanged, cols, stride);
    std::vector<float> expected = before;
    for (std::int64_t j = 0; j < kChanged; ++j) {
      for (std::int64_t r = 0; r < kRows; ++r) {
        const float factor = p[static_cast<std::size_t>(j * kRows + r)];
        for (std::int64_t c = 0; factor != 0 && c < cols; ++c) {
          const float product = factor * rows.row(j)[static_cast<std::size_t>(c)];
          expected[static_cast<std::size_t>(r * stride + c)] += product;
        }
      }
    }
    under_every_instruction_set([&] {
      std::vector<float> out = before;
      add_changed_rows({p.data(), kChanged, kRows}, rows, {out.data(), kRows, cols, stride});
      expect_same_bits(out, expected);
    });
  }
}

TEST(Transpose, PutsEveryValueAcross) {
  for (const std::int64_t rows : {1, 15, 16, 33}) {
    for (const std::int64_t cols : {1, 16, 17, 40}) {
      const std::vector<float> x = normal_floats(static_cast<std::size_t>(rows * (cols + 2)), 7);
      std::vector<float> out(static_cast<std::size_t>(cols * (rows + 1)), -1);
      const Matrix from(x.data(), rows, cols, cols + 2);
      const View2D<float> to(out.data(), cols, rows, rows + 1);
      transpose(from, to);
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < cols; ++j)
          ASSERT_EQ(to.row(j)[static_cast<std::size_t>(i)],
                    from.row(i)[static_cast<std::size_t>(j)]);
      }
      EXPECT_EQ(out[static_cast<std::size_t>(rows)], -1);
    }
  }
}

}  // namespace
}  // namespace zp
