#include "kernel/matmul.h"

#include <hwy/aligned_allocator.h>

#include <algorithm>
#include <array>

#ifndef ZP_KERNEL_MATMUL_ONCE
#define ZP_KERNEL_MATMUL_ONCE
namespace zp {
namespace {

// A block of w's rows is worked off against all of x: its rows are kBlockCols outputs, those of x
// come kBlockRows at a time, and both kDepth of the long dimension at a time, so that what is used
// again lies in the second cache: 96 KiB of w, 192 KiB of x and 288 KiB of lanes; six rows of w by
// four of x in the first.
constexpr std::int64_t kBlockRows = 96;
constexpr std::int64_t kBlockCols = 48;
constexpr std::int64_t kDepth = 512;
// From so many rows of x on, copying w's rows side by side pays.
constexpr std::int64_t kRowsToPack = 24;

/// Memory of one thread that only grows.
class Scratch {
 public:
  float* floats(std::int64_t count) noexcept {
    if (count > count_) {
      floats_ = hwy::AllocateAligned<float>(static_cast<std::size_t>(count));
      count_ = count;
    }
    return floats_.get();
  }

 private:
  hwy::AlignedFreeUniquePtr<float[]> floats_;
  std::int64_t count_ = 0;
};

thread_local Scratch packed_scratch;
thread_local Scratch lanes_scratch;

}  // namespace
}  // namespace zp
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/matmul.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr auto kSixteen = static_cast<std::int64_t>(kLanes);

// The sizes of a tile for every count of rows up to the full one.
using AddProducts = void (*)(Panel, Panel, std::int64_t, bool, float*);
constexpr AddProducts kAddProducts[] = {
    add_products<1, kTileCols, 1>,
    add_products<2, kTileCols, 1>,
    add_products<3, kTileCols, 1>,
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
    add_products<4, kTileCols, 1>,
#endif
};

/// The last values of `rows` rows, fewer than sixteen, continued with zeros.
HWY_INLINE Panel padded(const float* from, std::int64_t stride, std::int64_t rows,
                        std::int64_t count, float* to) {
  std::fill(to, to + rows * kSixteen, 0.0f);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::copy(from + r * stride, from + r * stride + count, to + r * kSixteen);
  }
  return {to, kSixteen, 0};
}

/// kTileCols rows of w from `row` on, side by side: step s of row j at (s * kTileCols + j) * 16,
/// zeros where w ends.
void pack(Matrix w, std::int64_t row, float* HWY_RESTRICT to) {
  const D16 d;
  for (std::int64_t j = 0; j < kTileCols; ++j) {
    float* column = to + j * kSixteen;
    const std::int64_t count = row + j < w.rows ? w.cols : 0;
    for (std::int64_t k = 0; k < w.cols; k += kSixteen, column += kTileCols * kSixteen) {
      for (std::int64_t l = 0; l < kSixteen; l += static_cast<std::int64_t>(kVectorLanes)) {
        const std::int64_t left = std::max<std::int64_t>(count - k - l, 0);
        const float* from = left == 0 ? w.data : w.data + (row + j) * w.stride + k + l;
        hn::Store(load_first(from, static_cast<std::size_t>(left)), d, column + l);
      }
    }
  }
}

/// Outputs of a block: rows [row, row + rows) of x by [col, col + cols) of w.
struct Block {
  std::int64_t row;
  std::int64_t rows;
  std::int64_t col;
  std::int64_t cols;
};

class Product {
 public:
  Product(Matrix x, Matrix w, View2D<float> out) : x_(x), w_(w), out_(out) {
    packs_ = x.rows >= kRowsToPack || w.rows < kTileCols;
    steps_ = (w.cols + kSixteen - 1) / kSixteen;
    if (packs_) packed_ = packed_scratch.floats(kBlockCols * steps_ * kSixteen);
    const std::int64_t tile_rows = (std::min(x.rows, kBlockRows) + kTileRows - 1) / kTileRows;
    lanes_ = lanes_scratch.floats(tile_rows * kTileRows * kBlockCols * kSixteen);
  }

  void run() {
    const std::int64_t cols = packs_ ? kBlockCols : kTileCols;
    for (std::int64_t col = 0; col < w_.rows; col += cols) {
      for (std::int64_t row = 0; row < x_.rows; row += kBlockRows) {
        block({row, std::min(kBlockRows, x_.rows - row), col, std::min(cols, w_.rows - col)});
      }
    }
  }

 private:
  void block(Block b) {
    for (std::int64_t k = 0; k < std::max<std::int64_t>(w_.cols, 1); k += kDepth) {
      float* lanes = lanes_;
      for (std::int64_t col = 0; col < b.cols; col += kTileCols) {
        if (k == 0 && b.row == 0 && packs_) pack(w_, b.col + col, packed(col));
        for (std::int64_t row = 0; row < b.rows; row += kTileRows) {
          const std::int64_t rows = std::min<std::int64_t>(kTileRows, b.rows - row);
          tile(b.row + row, rows, b.col + col, packed(col), k, lanes);
          lanes += kTileRows * kTileCols * kSixteen;
        }
      }
    }
  }

  float* packed(std::int64_t col) const {
    return packs_ ? packed_ + col * steps_ * kSixteen : nullptr;
  }

  /// One tile at the depth k; `packed` holds its rows of w, or is null.
  void tile(std::int64_t row, std::int64_t rows, std::int64_t col, const float* packed,
            std::int64_t k, float* lanes) const {
    const std::int64_t count = std::min(kDepth, w_.cols - k);
    const std::int64_t whole = count / kSixteen;
    // Without a copy the last tile is moved back, over outputs that are there already.
    const std::int64_t from = packed != nullptr ? col : std::min(col, w_.rows - kTileCols);
    const Panel w = packed != nullptr
                        ? Panel{packed + k * kTileCols, kSixteen, kTileCols * kSixteen}
                        : Panel{w_.data + from * w_.stride + k, w_.stride, kSixteen};
    const Panel x{x_.data + row * x_.stride + k, x_.stride, kSixteen};
    const AddProducts add = kAddProducts[rows - 1];
    add(x, w, whole, k == 0, lanes);
    if (k + kDepth < w_.cols) return;
    if (count % kSixteen != 0) {
      HWY_ALIGN float rest_x[kTileRows * kLanes];
      HWY_ALIGN float rest_w[kTileCols * kLanes];
      add(padded(x.data + whole * kSixteen, x.row, rows, count % kSixteen, rest_x),
          packed != nullptr
              ? Panel{w.data + whole * w.step, w.row, 0}
              : padded(w.data + whole * kSixteen, w.row, kTileCols, count % kSixteen, rest_w),
          1, false, lanes);
    }
    finish(row, rows, from, lanes);
  }

  void finish(std::int64_t row, std::int64_t rows, std::int64_t col, const float* lanes) const {
    HWY_ALIGN float sums[kTileRows * kTileCols + 3];
    for (std::int64_t o = 0; o < rows * kTileCols; o += 4) {
      hn::StoreU(add_lanes(lanes + o * kSixteen), hn::Full128<float>(), sums + o);
    }
    const std::int64_t cols = std::min<std::int64_t>(kTileCols, w_.rows - col);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::copy(sums + i * kTileCols, sums + i * kTileCols + cols,
                out_.data + (row + i) * out_.stride + col);
    }
  }

  Matrix x_;
  Matrix w_;
  View2D<float> out_;
  bool packs_;
  std::int64_t steps_;
  float* packed_ = nullptr;
  float* lanes_;
};

/// One row of x: every row of w as it lies, read once from end to end, kTogether of them at a time.
void matvec(const float* x, Matrix w, float* out) {
  constexpr int kTogether = 4;
  const std::int64_t whole = w.cols / kSixteen;
  const std::int64_t rest = w.cols % kSixteen;
  HWY_ALIGN float lanes[kTogether * kLanes];
  HWY_ALIGN float sums[4];
  HWY_ALIGN float rest_x[kLanes];
  HWY_ALIGN float rest_w[kTogether * kLanes];
  const Panel last = padded(x + whole * kSixteen, 0, 1, rest, rest_x);
  const auto some = [&](auto rows, std::int64_t from) {
    const float* row = w.data + from * w.stride;
    constexpr int kVectorsAtOnce = static_cast<int>(kVectors);
    add_products<1, rows, kVectorsAtOnce>({x, 0, kSixteen}, {row, w.stride, kSixteen}, whole, true,
                                          lanes);
    if (rest != 0) {
      add_products<1, rows, 1>(last, padded(row + whole * kSixteen, w.stride, rows, rest, rest_w),
                               1, false, lanes);
    }
    hn::Store(add_lanes(lanes), hn::Full128<float>(), sums);
    std::copy(sums, sums + rows, out + from);
  };
  std::int64_t row = 0;
  for (; row + kTogether <= w.rows; row += kTogether) {
    some(std::integral_constant<int, kTogether>(), row);
  }
  for (; row < w.rows; ++row) some(std::integral_constant<int, 1>(), row);
}

void matmul(Matrix x, Matrix w, View2D<float> out) {
  if (x.rows == 0 || w.rows == 0) return;
  if (x.rows == 1) return matvec(x.data, w, out.data);
  Product(x, w, out).run();
}

float dot(Floats x, Floats y) {
  float sum;
  matvec(x.data(), {y.data(), 1, static_cast<std::int64_t>(y.size())}, &sum);
  return sum;
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(dot);
HWY_EXPORT(matmul);

float dot(Floats x, Floats y) noexcept { return HWY_DYNAMIC_DISPATCH(dot)(x, y); }
void matmul(Matrix x, Matrix w, View2D<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(matmul)(x, w, out);
}

std::int64_t row_stride(std::int64_t cols) noexcept {
  constexpr std::int64_t kLine = 16;  // floats of a cache line
  const std::int64_t lines = (cols + kLine - 1) / kLine;
  return (lines % 2 == 0 ? lines + 1 : lines) * kLine;
}

}  // namespace zp
#endif
