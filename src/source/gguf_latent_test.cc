#include "source/gguf_latent.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"

namespace zp {
namespace {

constexpr std::int64_t kHeads = 3;
constexpr std::int64_t kRank = 4;
constexpr std::int64_t kKeyDim = 2;
constexpr std::int64_t kValueDim = 5;

Tensor tensor(std::string name, std::vector<std::int64_t> shape, float first) {
  const MatrixShape matrix = matrix_shape(shape, "test");
  std::vector<float> values(static_cast<std::size_t>(matrix.rows * matrix.cols));
  std::iota(values.begin(), values.end(), first);
  return {std::move(name), "f32", std::move(shape), matrix.rows * matrix.cols * 4,
          constant_rows(std::move(values), matrix.rows, matrix.cols)};
}

Tensor keys() { return tensor("blk.0.attn_k_b.weight", {kHeads, kRank, kKeyDim}, 0); }
Tensor values() { return tensor("blk.0.attn_v_b.weight", {kHeads, kValueDim, kRank}, 100); }

template <class... Tensors>
Checkpoint with(Tensors... tensors) {
  Checkpoint checkpoint;
  (checkpoint.add(std::move(tensors), "test"), ...);
  return checkpoint;
}

TEST(LatentHeads, AreOneMatrixOfKeysThenValuesOfEachHead) {
  Checkpoint checkpoint = with(keys(), tensor("other", {3}, 0), values());
  join_latent_heads(checkpoint);
  ASSERT_EQ(checkpoint.tensors.size(), 2u);
  const Tensor* both = checkpoint.find("blk.0.attn_kv_b.weight");
  ASSERT_NE(both, nullptr);
  constexpr std::int64_t kRows = kHeads * (kKeyDim + kValueDim);
  EXPECT_EQ(both->shape, (std::vector{kRows, kRank}));
  std::vector<float> expected;
  for (std::int64_t head = 0; head < kHeads; ++head) {
    for (std::int64_t key = 0; key < kKeyDim; ++key) {
      for (std::int64_t c = 0; c < kRank; ++c)
        expected.push_back(static_cast<float>((head * kRank + c) * kKeyDim + key));
    }
    for (std::int64_t i = 0; i < kValueDim * kRank; ++i)
      expected.push_back(static_cast<float>(100 + head * kValueDim * kRank + i));
  }
  for (std::int64_t begin = 0; begin < kRows; ++begin) {
    for (std::int64_t count = 1; begin + count <= kRows; ++count) {
      std::vector<float> found(static_cast<std::size_t>(count * kRank));
      both->rows->read(begin, count, found.data());
      EXPECT_EQ(found, std::vector<float>(expected.begin() + begin * kRank,
                                          expected.begin() + (begin + count) * kRank));
    }
  }
}

TEST(LatentHeads, AreRefusedWhereTheyDontFit) {
  const auto refused = [](Checkpoint checkpoint) {
    EXPECT_THROW(join_latent_heads(checkpoint), Error);
  };
  refused(with(keys()));
  refused(with(values()));
  refused(with(keys(), values(), tensor("blk.0.attn_kv_b.weight", {21, kRank}, 0)));
  refused(with(keys(), tensor("blk.0.attn_v_b.weight", {kHeads, kValueDim, kRank + 1}, 0)));
  refused(with(keys(), tensor("blk.0.attn_v_b.weight", {kHeads + 1, kValueDim, kRank}, 0)));
  refused(with(keys(), tensor("blk.0.attn_v_b.weight", {kHeads * kValueDim, kRank}, 0)));
}

}  // namespace
}  // namespace zp
