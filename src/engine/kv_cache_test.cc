#include "engine/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace zp {
namespace {

constexpr std::int64_t kCapacity = 5;

Decoder small_decoder() {
  Decoder d;
  d.layers = 2;
  d.kv_heads = 3;
  d.head_dim = 4;
  return d;
}

// Of the layer, head, token and, for values, one more, so that none is another's.
std::vector<float> row_of(std::int64_t layer, std::int64_t head, std::int64_t token, bool value) {
  Random random(static_cast<std::uint64_t>(((layer * 3 + head) * kCapacity + token) * 2 + value));
  std::vector<float> row;
  for (int i = 0; i < 4; ++i)
    row.push_back(static_cast<float>(random.below(1 << 20)) / 1024.0F - 300.0F);
  return row;
}

void fill(KvCache& cache, const Decoder& d) {
  for (std::int64_t layer = 0; layer < d.layers; ++layer) {
    for (std::int64_t head = 0; head < d.kv_heads; ++head) {
      for (std::int64_t token = 0; token < kCapacity; ++token) {
        cache.set(layer, head, token, row_of(layer, head, token, false),
                  row_of(layer, head, token, true));
      }
    }
  }
}

// off: the largest relative error of a value.
void expect_rows(const KvCache& cache, const Decoder& d, float off) {
  std::vector<float> scratch;
  for (std::int64_t layer = 0; layer < d.layers; ++layer) {
    for (std::int64_t head = 0; head < d.kv_heads; ++head) {
      for (const bool value : {false, true}) {
        const Matrix rows = value ? cache.values(layer, head, 1, kCapacity - 1, scratch)
                                  : cache.keys(layer, head, 1, kCapacity - 1, scratch);
        ASSERT_EQ(rows.rows, kCapacity - 1);
        for (std::int64_t r = 0; r < rows.rows; ++r) {
          const std::vector<float> expected = row_of(layer, head, r + 1, value);
          for (std::size_t i = 0; i < expected.size(); ++i)
            EXPECT_NEAR(rows.row(r)[i], expected[i], off * std::fabs(expected[i]));
        }
      }
    }
  }
}

TEST(KvCache, GivesBackWhatItWasGiven) {
  const Decoder d = small_decoder();
  KvCache cache(d, kCapacity);
  fill(cache, d);
  expect_rows(cache, d, 0);
  EXPECT_EQ(KvCache::bytes(d, kCapacity), 2 * 2 * 3 * 4 * kCapacity * 4);
}

TEST(KvCache, HasAStateWhereALayerHasNoAttention) {
  Decoder d = small_decoder();
  d.hidden = 7;
  d.convolution = 4;
  set_layers(d, [](std::int64_t index, Layer& layer) {
    if (index == 0) layer.mixer = Mixer::short_convolution;
  });
  constexpr std::int64_t kState = 3 * 7 * 4;
  EXPECT_EQ(KvCache::bytes(d, kCapacity), kState + 2 * 3 * 4 * kCapacity * 4);
  EXPECT_EQ(KvCache::bytes(d, kCapacity, KvType::bf16), kState + 2 * 3 * 4 * kCapacity * 2);
  EXPECT_EQ(KvCache::layer_bytes(d, kCapacity), 2 * 3 * 4 * kCapacity * 4);
  EXPECT_EQ(KvCache::layer_bytes(d, 0), kState);
  KvCache cache(d, kCapacity);
  ASSERT_EQ(cache.state(0).size(), 21u);
  std::ranges::fill(cache.state(0), 5.0f);
  cache.set(1, 2, 3, row_of(1, 2, 3, false), row_of(1, 2, 3, true));
  for (const float value : cache.state(0)) EXPECT_EQ(value, 5.0f);
  KvCache wider = cache.resized(d, 9);
  for (const float value : wider.state(0)) EXPECT_EQ(value, 5.0f);
}

TEST(KvCache, HasBothWhereAStateSpaceStandsBesideAttention) {
  Decoder d = small_decoder();
  d.convolution = 4;
  d.space = {.heads = 2, .head_dim = 3, .state = 5};
  d.every.mixer = Mixer::attention_and_space;
  constexpr std::int64_t kState = 3 * (6 + 2 * 5) + 6 * 5;
  EXPECT_EQ(KvCache::bytes(d, kCapacity), 2 * (kState + 2 * 3 * 4 * kCapacity) * 4);
  KvCache cache(d, kCapacity);
  ASSERT_EQ(std::ssize(cache.state(1)), kState);
  fill(cache, d);
  for (const std::int64_t layer : {0, 1}) std::ranges::fill(cache.state(layer), 5.0f);
  expect_rows(cache, d, 0);
  KvCache wider = cache.resized(d, 9);
  for (const std::int64_t layer : {0, 1}) {
    for (const float value : wider.state(layer)) EXPECT_EQ(value, 5.0f);
  }
}

TEST(KvCache, OfBf16RoundsToEightBits) {
  const Decoder d = small_decoder();
  KvCache cache(d, kCapacity, KvType::bf16);
  fill(cache, d);
  expect_rows(cache, d, 1.0F / 256);  // half of the last of eight bits
  EXPECT_EQ(KvCache::bytes(d, kCapacity, KvType::bf16), KvCache::bytes(d, kCapacity) / 2);
}

}  // namespace
}  // namespace zp
