#include "kernel/matmul.h"

#include <hwy/aligned_allocator.h>

#include <algorithm>

#ifndef ZP_KERNEL_MATMUL_ONCE
#define ZP_KERNEL_MATMUL_ONCE
namespace zp {
namespace {

// Rows of w come kBlockCols at a time; against all of x, whose rows come so many at a time, and
// a depth of so many values each, that kBlockFloats of x lie in the second cache (384 KiB), where a
// few rows of w pass by them. Then the next values of the same rows: the lanes of a block's outputs
// wait in memory.
constexpr std::int64_t kBlockRows = 96;
constexpr std::int64_t kBlockFloats = 96 << 10;
// From so many rows of x on, copying w's rows side by side pays.
constexpr std::int64_t kRowsToPack = 24;
// Rows that are read to be multiplied once: a half of the first cache.
constexpr std::int64_t kReadFloats = 4 << 10;
// An x of more floats than this is fetched into the second cache ahead of its use.
constexpr std::int64_t kFloatsToFetch = 256 << 10;

/// Memory of one thread that only grows.
class Scratch {
 public:
  float* floats(std::int64_t count) {
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
thread_local Scratch read_scratch;

std::int64_t round_up(std::int64_t value, std::int64_t to) { return (value + to - 1) / to * to; }

}  // namespace
}  // namespace zp
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/matmul.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/one_row-inl.h"
#include "kernel/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors of sixteen lanes come from the second cache as fast as they are used, and waiting lanes
// cost more than that. Shorter ones pass over the same values several times, which must lie in the
// first.
constexpr std::int64_t kDepth = kVectorLanes == kLanes ? 4096 : 512;

constexpr std::int64_t kBlockCols = kVectorLanes == kLanes ? kMatmulRows : kMatmulRows / 2;
constexpr std::int64_t kTileLanes = kTileRows * kTileCols * kSixteen;

/// kTileCols rows of w from `row` on, side by side; zeros where w ends.
void pack(Matrix w, std::int64_t row, float* HWY_RESTRICT to) {
  for (std::int64_t j = 0; j < kTileCols; ++j) {
    float* column = to + j * kSixteen;
    const bool there = row + j < w.rows;
    const float* from = there ? w.data + (row + j) * w.stride : nullptr;
    for (std::int64_t k = 0; k < w.cols; k += kSixteen, column += kTileCols * kSixteen) {
      const std::int64_t count = there ? std::min(w.cols - k, kSixteen) : 0;
      std::int64_t l = 0;
      for (; l + static_cast<std::int64_t>(kVectorLanes) <= count; l += kVectorLanes) {
        hn::Store(hn::LoadU(D16(), from + k + l), D16(), column + l);
      }
      if (l < count) std::copy(from + k + l, from + k + count, column + l);
      std::fill(column + count, column + kSixteen, 0.0f);
    }
  }
}

/// Outputs [row, row + rows) x [col, col + cols), at the values from k on.
struct Block {
  std::int64_t row;
  std::int64_t rows;
  std::int64_t col;
  std::int64_t cols;
  std::int64_t k;
};

class Product {
 public:
  Product(Matrix x, Matrix w, View2D<float> out) : x_(x), w_(w), out_(out) {
    const std::int64_t parts = std::max<std::int64_t>((w.cols + kDepth - 1) / kDepth, 1);
    depth_ = std::max(round_up((w.cols + parts - 1) / parts, kSixteen), kSixteen);
    block_rows_ = std::min(kBlockRows, kBlockFloats / depth_) / kTileRows * kTileRows;
    packs_ = x.rows >= kRowsToPack || w.rows < kTileCols;
    block_cols_ = packs_ ? std::min(kBlockCols, round_up(w.rows, kTileCols)) : kTileCols;
    row_floats_ = round_up(w.cols, kSixteen);
    if (packs_) packed_ = packed_scratch.floats(block_cols_ * row_floats_);
    const std::int64_t block_rows = std::min(round_up(x.rows, kTileRows), block_rows_);
    lanes_ = lanes_scratch.floats(waits() ? block_rows * block_cols_ * kSixteen : kTileLanes);
  }

  void run() {
    for (std::int64_t col = 0; col < w_.rows; col += block_cols_) {
      const std::int64_t cols = std::min(block_cols_, w_.rows - col);
      for (std::int64_t row = 0; row < x_.rows; row += block_rows_) {
        const std::int64_t rows = std::min(block_rows_, x_.rows - row);
        std::int64_t k = 0;
        do {
          add_block({row, rows, col, cols, k});
          k += depth_;
        } while (k < w_.cols);
      }
    }
  }

 private:
  void add_block(Block b) const {
    const bool fetches = x_.rows * w_.cols > kFloatsToFetch && packs_;
    float* lanes = lanes_;
    for (std::int64_t col = 0; col < b.cols; col += kTileCols) {
      float* packed = packs_ ? packed_ + col * row_floats_ : nullptr;
      if (packs_ && b.row == 0 && b.k == 0) pack(w_, first_col(b.col + col), packed);
      for (std::int64_t row = 0; row < b.rows; row += kTileRows) {
        if (fetches) fetch_share(b, row, col);
        add_tile(b, row, first_col(b.col + col), packed, lanes);
        if (waits()) lanes += kTileLanes;
      }
    }
  }

  /// Whether a tile's lanes wait for deeper values while others are summed.
  bool waits() const { return depth_ < w_.cols; }

  /// The last tile is moved back, over outputs that are there already, so that it is a whole one.
  std::int64_t first_col(std::int64_t col) const {
    return std::max<std::int64_t>(std::min(col, w_.rows - kTileCols), 0);
  }

  /// Each tile fetches its share of the next block's x: its own rows there, and of their values the
  /// part that its place among the block's columns says.
  void fetch_share(Block b, std::int64_t row, std::int64_t col) const {
    const bool deeper = b.k + depth_ < w_.cols;
    const std::int64_t next_k = deeper ? b.k + depth_ : 0;
    const std::int64_t below = b.row + block_rows_ < x_.rows ? b.row + block_rows_ : 0;
    const std::int64_t from = (deeper ? b.row : below) + row;
    const std::int64_t share = round_up(depth_ / ((b.cols + kTileCols - 1) / kTileCols), kSixteen);
    const std::int64_t begin = next_k + col / kTileCols * share;
    const std::int64_t end = std::min({begin + share, next_k + depth_, w_.cols});
    for (std::int64_t i = from; i < std::min(from + kTileRows, x_.rows); ++i) {
      for (std::int64_t k = begin; k < end; k += kSixteen) {
        __builtin_prefetch(x_.data + i * x_.stride + k, 0, 2);
      }
    }
  }

  /// The tile from b's row `row` and w's row `col` on; `packed` holds its rows of w, or is null.
  void add_tile(Block b, std::int64_t row, std::int64_t col, const float* packed,
                float* lanes) const {
    const std::int64_t rows = std::min<std::int64_t>(kTileRows, b.rows - row);
    const std::int64_t count = std::min(depth_, w_.cols - b.k);
    const LooseRows x{x_.data + (b.row + row) * x_.stride + b.k, x_.stride};
    const bool last = b.k + depth_ >= w_.cols;
    float* out = last ? out_.data + (b.row + row) * out_.stride + col : nullptr;
    if (packed == nullptr) {
      return kAddValues<LooseRows>[rows - 1](x, {w_.data + col * w_.stride + b.k, w_.stride}, count,
                                             {lanes, b.k == 0, out, out_.stride});
    }
    const PackedRows<kTileCols> w{packed + b.k * kTileCols};
    const auto add = kAddValues<PackedRows<kTileCols>>[rows - 1];
    if (w_.rows >= kTileCols) return add(x, w, count, {lanes, b.k == 0, out, out_.stride});
    HWY_ALIGN float narrow[kTileRows * kTileCols];
    add(x, w, count, {lanes, b.k == 0, last ? narrow : nullptr, kTileCols});
    for (std::int64_t i = 0; last && i < rows; ++i) {
      std::copy(narrow + i * kTileCols, narrow + i * kTileCols + w_.rows, out + i * out_.stride);
    }
  }

  Matrix x_;
  Matrix w_;
  View2D<float> out_;
  std::int64_t depth_;
  std::int64_t block_rows_;
  std::int64_t block_cols_;
  std::int64_t row_floats_;  // of a packed row
  bool packs_;
  float* packed_ = nullptr;
  float* lanes_;
};

void matmul(Matrix x, Matrix w, View2D<float> out) {
  if (x.rows == 0 || w.rows == 0) return;
  if (x.rows == 1) return one_row(x.data, w, out.data);
  Product(x, w, out).run();
}

float dot(Floats x, Floats y) {
  const auto count = static_cast<std::int64_t>(y.size());
  float sum;
  row_products<1>(x.data(), {y.data(), 0}, count, &sum);
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

void multiply_read_rows(
    Floats x, const std::function<void(std::int64_t begin, std::int64_t count, float* to)>& read,
    std::span<float> out) {
  const auto cols = static_cast<std::int64_t>(x.size());
  const auto rows = static_cast<std::int64_t>(out.size());
  const std::int64_t at_once =
      std::max<std::int64_t>(kReadFloats / std::max<std::int64_t>(cols, 1), 1);
  float* const tile = read_scratch.floats(at_once * cols);
  for (std::int64_t r = 0; r < rows; r += at_once) {
    const std::int64_t count = std::min(at_once, rows - r);
    read(r, count, tile);
    matmul({x.data(), 1, cols}, {tile, count, cols}, {out.data() + r, 1, count});
  }
}

std::int64_t rows_of_share(std::int64_t rows, int threads) noexcept {
  constexpr std::int64_t kTile = 4;
  if (rows == 0) return kTile;
  const std::int64_t shares = round_up((rows + kMatmulRows - 1) / kMatmulRows, threads);
  return round_up((rows + shares - 1) / shares, kTile);
}

std::int64_t row_stride(std::int64_t cols) noexcept {
  constexpr std::int64_t kLine = 16;  // floats of a cache line
  const std::int64_t lines = (cols + kLine - 1) / kLine;
  return (lines % 2 == 0 ? lines + 1 : lines) * kLine;  // an odd number of lines meets every set
}

}  // namespace zp
#endif
