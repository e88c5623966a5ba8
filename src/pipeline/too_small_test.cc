#include "pipeline/too_small.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "grid/plane_buffers.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 8;
constexpr std::int64_t kCols = 512;

class Normal final : public RowReader {
 public:
  explicit Normal(double size) : RowReader(kRows, kCols) {
    Random random(5);
    for (std::int64_t i = 0; i < kRows * kCols; ++i)
      values_.push_back(static_cast<float>(size * random.normal()));
  }
  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    std::copy_n(values_.begin() + begin * kCols, count * kCols, out);
  }
  Matrix view() const { return {values_.data(), kRows, kCols}; }

 private:
  std::vector<float> values_;
};

// Values, scales or minima are stored in a type that ends well above 1e-9; codes count steps of a scale.
bool ends_early(const Grid& grid) {
  if (grid.spec().starts_with("mxfp")) return false;  // powers of two down to 2^-127
  return std::ranges::any_of(grid.planes(), [](const Plane& p) {
    return p.name == "blocks" ||
           (p.name != "codes" && (p.type_name == "fp16" || p.type_name.starts_with("fp8")));
  });
}

std::vector<std::string> specs() {
  std::vector<std::string> all;
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples()) {
      const auto grid = make_grid(spec);
      if (!grid->whole_tensor() && grid->why_not(kCols).empty()) all.push_back(spec);
    }
  }
  return all;
}

TEST(TooSmall, DigitsAreLostWhereStoredTypesEnd) {
  const Normal usual(1), tiny(1e-9);
  for (const std::string& spec : specs()) {
    const auto grid = make_grid(spec);
    EXPECT_FALSE(lose_digits(*grid, Fit::search, usual)) << spec;
    EXPECT_EQ(lose_digits(*grid, Fit::search, tiny), ends_early(*grid)) << spec;
  }
}

// Scales that are not zero yet, but have one or two digits left.
TEST(TooSmall, DigitsAreLostBeforeAllIs) {
  EXPECT_TRUE(lose_digits(*make_grid("q8_0"), Fit::search, Normal(1e-6)));
  EXPECT_TRUE(lose_digits(*make_grid("q4_k"), Fit::search, Normal(1e-6)));
  EXPECT_TRUE(lose_digits(*make_grid("fp16"), Fit::search, Normal(1e-6)));
  EXPECT_FALSE(lose_digits(*make_grid("q8_0"), Fit::search, Normal(1e-2)));
  EXPECT_FALSE(lose_digits(*make_grid("fp16"), Fit::search, Normal(1e-2)));
  EXPECT_TRUE(lose_digits(*make_grid("nvfp4:blocks"), Fit::search, Normal(1e-3)));
}

Zeroed zeroed(const char* spec, Matrix w) {
  const auto grid = make_grid(spec);
  PlaneBuffers planes;
  grid->quantize(w, {}, Fit::search, make_room(*grid, w.rows, w.cols, planes));
  std::vector<float> q(static_cast<std::size_t>(w.rows * w.cols));
  decode(*grid, planes, {q.data(), w.rows, w.cols});
  return outcome_of(*grid, w, {q.data(), w.rows, w.cols}, {}, {}).blocks;
}

TEST(TooSmall, BlocksThatBecomeZerosAreCounted) {
  std::vector<float> w(2 * 256, 1.0f);
  std::fill_n(w.begin() + 32, 64, 1e-9f);  // two blocks lost
  std::fill_n(w.begin() + 256, 32, 0.0f);  // nothing there to lose
  const Zeroed found = zeroed("q8_0", {w.data(), 2, 256});
  EXPECT_EQ(found.zeroed, 2);
  EXPECT_EQ(found.blocks, 16);
  EXPECT_EQ(zeroed("int4:g32:sym:s32", {w.data(), 2, 256}).zeroed, 0);
  EXPECT_EQ(zeroed("q4_k", Normal(1).view()).zeroed, 0);
}

TEST(TooSmall, IsSaidWithNamesCountsAndWhatHelps) {
  Weight value;
  value.use.place.role = Role::value;
  const std::vector<TooSmall> tensors = {{"v0", &value, "q8_0", {4, 4}},
                                         {"v1", &value, "q8_0", {1, 4}},
                                         {"v2", &value, "q8_0", {0, 4}},
                                         {"v3", &value, "q8_0", {4, 4}}};
  const std::string text = to_text(tensors, find_container("gguf"));
  EXPECT_NE(text.find("4 tensors"), text.npos) << text;
  EXPECT_NE(text.find("v0 (all 4 blocks of q8_0 became zeros)"), text.npos) << text;
  EXPECT_NE(text.find("v1 (1 of 4 blocks"), text.npos) << text;
  EXPECT_NE(text.find("`set` 'value=bf16'"), text.npos) << text;
  EXPECT_TRUE(to_text({}, find_container("gguf")).empty());
}

}  // namespace
}  // namespace zp
