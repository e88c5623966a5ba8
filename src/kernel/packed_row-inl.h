// One row of activations times rows of packed weights: what a block decodes to goes from the
// registers into the sums, in the order of dot (kernel/matmul.h).
//
// A Block is what a format's file has for it, and nothing but:
//   static constexpr std::size_t kWeights, kBytes;      of a block; weights a multiple of sixteen
//   template <class F> static void each_sixteen(const std::byte* in, const F& f);
//     f(j, v) for j = 0, 16, ...: v, V16[kVectors], are the block's weights from j on.
// The same function decodes: then f stores.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/view.h"
#include "kernel/fused-inl.h"
#include "kernel/lanes-inl.h"

#if defined(ZP_KERNEL_PACKED_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_KERNEL_PACKED_ROW_INL_H_
#undef ZP_KERNEL_PACKED_ROW_INL_H_
#else
#define ZP_KERNEL_PACKED_ROW_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Weights of one row: out.size() of them, whole blocks.
template <class Block>
HWY_INLINE void decode_packed(const std::byte* in, std::span<float> out) {
  float* to = out.data();
  for (std::size_t k = 0; k < out.size(); k += Block::kWeights, in += Block::kBytes) {
    Block::each_sixteen(in, [&](std::size_t j, const V16(&v)[kVectors]) {
      for (std::size_t i = 0; i < kVectors; ++i)
        hn::StoreU(v[i], D16(), to + k + j + i * kVectorLanes);
    });
  }
}

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kWeightsToUnroll = 64;  // larger blocks are much code

/// sum += the products of one block with x.
template <class Block>
HWY_INLINE void add_block(const float* x, const std::byte* block, V16 (&sum)[kVectors]) {
  Block::each_sixteen(block, [&](std::size_t j, const V16(&w)[kVectors]) {
    HWY_UNROLL(4) for (std::size_t v = 0; v < kVectors; ++v) {
      sum[v] = fused(D16(), hn::LoadU(D16(), x + j + v * kVectorLanes), w[v], sum[v]);
    }
  });
}

/// N sums, at most four, of rows that lie row_bytes apart.
template <class Block, int N>
HWY_INLINE void packed_sums(Floats x, const std::byte* in, std::size_t row_bytes, float* out) {
  const D16 d;
  V16 sum[N][kVectors];
  HWY_UNROLL(4) for (int i = 0; i < N; ++i) {
    HWY_UNROLL(4) for (std::size_t v = 0; v < kVectors; ++v) sum[i][v] = hn::Zero(d);
  }
  for (std::size_t k = 0; k < x.size(); k += Block::kWeights, in += Block::kBytes) {
    const auto add_row = [&](int i) {
      const std::byte* block = in + static_cast<std::size_t>(i) * row_bytes;
      HWY_UNROLL(8) for (std::size_t at = 0; at < Block::kBytes; at += kCacheLine) {
        __builtin_prefetch(block + N * row_bytes + at, 0, 2);  // of the next rows
      }
      add_block<Block>(x.data() + k, block, sum[i]);
    };
    if constexpr (Block::kWeights <= kWeightsToUnroll) {
      HWY_UNROLL(4) for (int i = 0; i < N; ++i) add_row(i);
    } else {
      HWY_UNROLL(1) for (int i = 0; i < N; ++i) add_row(i);
    }
  }
  HWY_ALIGN float lanes[4 * kLanes] = {};
  HWY_UNROLL(4) for (int i = 0; i < N; ++i) {
    HWY_UNROLL(4) for (std::size_t v = 0; v < kVectors; ++v) {
      hn::Store(sum[i][v], d, lanes + static_cast<std::size_t>(i) * kLanes + v * kVectorLanes);
    }
  }
  HWY_ALIGN float sums[4];
  hn::Store(add_lanes(lanes), hn::Full128<float>(), sums);
  std::copy(sums, sums + N, out);
}

/// out[r] = dot(x, row r): rows of x.size() weights, whole blocks, side by side.
template <class Block>
HWY_INLINE void packed_row(Floats x, const std::byte* in, std::span<float> out) {
  const std::size_t row_bytes = x.size() / Block::kWeights * Block::kBytes;
  std::size_t r = 0;
  for (; r + 4 <= out.size(); r += 4)
    packed_sums<Block, 4>(x, in + r * row_bytes, row_bytes, out.data() + r);
  for (; r < out.size(); ++r)
    packed_sums<Block, 1>(x, in + r * row_bytes, row_bytes, out.data() + r);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
