#include "engine/attention.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "kernel/functions.h"
#include "kernel/matmul.h"

namespace zp {
namespace {

constexpr std::int64_t kLanes = 16;             // of the sums in kernel/matmul.h
constexpr std::int64_t kScoreFloats = 1 << 18;  // a thread's scores: 1 MiB
constexpr std::int64_t kMostRows = 64;

// Some tokens of a run, for the heads that share one head of keys.
struct Block {
  const TokenRun* run;
  std::int64_t begin;  // token of the run
  std::int64_t count;
  std::int64_t kv_head;
};

std::vector<Block> make_blocks(std::span<const TokenRun> runs, const AttentionShape& shape) {
  const std::int64_t group = shape.heads / shape.kv_heads;
  std::vector<Block> blocks;
  for (const TokenRun& run : runs) {
    const std::int64_t in_sight = run.first + run.count;
    const std::int64_t rows = std::clamp(kScoreFloats / in_sight, std::int64_t{1}, kMostRows);
    const std::int64_t step = std::max(rows / group, std::int64_t{1});
    for (std::int64_t head = 0; head < shape.kv_heads; ++head) {
      for (std::int64_t t = 0; t < run.count; t += step)
        blocks.push_back({&run, t, std::min(step, run.count - t), head});
    }
  }
  return blocks;
}

struct Scratch {
  std::vector<float> queries;
  std::vector<float> cached;  // keys, then values, that aren't kept in FP32
  std::vector<float> scores;
  std::vector<float> sums;
};

View2D<float> matrix_in(std::vector<float>& floats, std::int64_t rows, std::int64_t cols) {
  const std::int64_t stride = row_stride(cols);
  floats.resize(std::max(floats.size(), static_cast<std::size_t>(rows * stride)));
  return {floats.data(), rows, cols, stride};
}

constexpr float kOutOfSight = -std::numeric_limits<float>::infinity();

void attend_block(Matrix q, const Block& block, const AttentionShape& shape, std::int64_t layer,
                  View2D<float> out, Scratch& scratch) {
  const std::int64_t group = shape.heads / shape.kv_heads;
  const std::int64_t dim = shape.head_dim;
  const std::int64_t rows = block.count * group;
  const std::int64_t first = block.run->first + block.begin;
  const std::int64_t end = first + block.count;
  const std::int64_t seen = shape.window ? std::max(first - *shape.window + 1, std::int64_t{0}) : 0;
  const std::int64_t from = seen / kLanes * kLanes;
  const std::int64_t keys = end - from;
  // Row i * group + g of the scratch matrices: token i of the block, head g of the group.
  const auto part_of = [&](auto matrix, std::int64_t width, std::int64_t i, std::int64_t g) {
    const std::int64_t row = block.run->begin + block.begin + i;
    return matrix.columns((block.kv_head * group + g) * width, width).row(row);
  };

  const View2D<float> queries = matrix_in(scratch.queries, rows, dim);
  for (std::int64_t i = 0; i < block.count; ++i) {
    for (std::int64_t g = 0; g < group; ++g)
      std::ranges::copy(part_of(q, dim, i, g), queries.row(i * group + g).begin());
  }
  const View2D<float> scores = matrix_in(scratch.scores, rows, keys);
  matmul(queries, block.run->cache->keys(layer, block.kv_head, from, keys, scratch.cached), scores);
  for (std::int64_t r = 0; r < rows; ++r) {
    score(scores.row(r), from, first + r / group, shape);
    softmax(scores.row(r), sink_of(shape, block.kv_head * group + r % group));
  }
  const View2D<float> sums = matrix_in(scratch.sums, rows, shape.value_dim);
  weighted_rows(scores, block.run->cache->values(layer, block.kv_head, from, keys, scratch.cached),
                sums);
  for (std::int64_t i = 0; i < block.count; ++i) {
    for (std::int64_t g = 0; g < group; ++g)
      std::ranges::copy(sums.row(i * group + g), part_of(out, shape.value_dim, i, g).begin());
  }
}

}  // namespace

void score(std::span<float> products, std::int64_t from, std::int64_t position,
           const AttentionShape& shape) noexcept {
  const std::int64_t sight = shape.window ? std::max(position - *shape.window + 1, from) : from;
  const auto begin = products.begin() + (sight - from);
  const auto end = products.begin() + (position + 1 - from);
  const std::span<float> seen(begin, end);
  scale(seen, shape.scale);
  if (shape.soft_cap != 0) soft_cap(seen, shape.soft_cap);
  std::fill(products.begin(), begin, kOutOfSight);
  std::fill(end, products.end(), kOutOfSight);
}

float sink_of(const AttentionShape& shape, std::int64_t head) noexcept {
  return shape.sinks.empty() ? kOutOfSight : shape.sinks[static_cast<std::size_t>(head)];
}

void attend(Matrix q, std::span<const TokenRun> runs, const AttentionShape& shape,
            std::int64_t layer, const Team& team, View2D<float> out) {
  const std::vector<Block> blocks = make_blocks(runs, shape);
  team.run(static_cast<std::int64_t>(blocks.size()), [&](std::int64_t i) {
    thread_local Scratch scratch;
    attend_block(q, blocks[static_cast<std::size_t>(i)], shape, layer, out, scratch);
  });
}

}  // namespace zp
