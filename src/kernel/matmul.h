// Products of matrices, each output summed in one fixed order: the same bits whatever the shapes of
// the calls, the vector width and the number of threads.
//
// The order of dot(x, y): both continued with +0 to a multiple of sixteen. Sixteen lanes, all +0;
// lane l takes the products of k = l, l + 16, ... in ascending k, each by one fused multiply-add
// (one rounding); then lane l adds lane l + 8, l + 4, l + 2, l + 1 in turn. Infinities, NaN and the
// signs of zeros follow from that; which NaN a NaN is, isn't said.
#pragma once

#include <cstdint>
#include <functional>

#include "base/view.h"

namespace zp {

/// x, y: the same length.
float dot(Floats x, Floats y) noexcept;

/// Rows of w that go against all of x at once.
constexpr std::int64_t kMatmulRows = 192;

/// out[i][j] = dot(x.row(i), w.row(j)): x is m x k, w n x k, out m x n and apart from both. Blocks
/// for the caches of one core; callers share out rows of w or x over threads. Each thread keeps up
/// to kMatmulRows k floats and about a MiB between calls.
void matmul(Matrix x, Matrix w, View2D<float> out) noexcept;

/// Rows of w for one call where `threads` share `rows` of them: equal shares, kMatmulRows at most.
std::int64_t rows_of_share(std::int64_t rows, int threads) noexcept;

/// out[j] = dot(x, row j) of rows that read(begin, count, to) writes to `to`, some at a time, so
/// that they are still in the first cache when they are multiplied.
void multiply_read_rows(
    Floats x, const std::function<void(std::int64_t begin, std::int64_t count, float* to)>& read,
    std::span<float> out);

/// out[i] = sum over j of p[i][j] * v.row(j), from +0 in ascending j, each by one fused
/// multiply-add: p is m x n, v n x d, out m x d and apart from both.
void weighted_rows(Matrix p, Matrix v, View2D<float> out) noexcept;

/// Elements from one row to the next for which rows of `cols` floats don't fall on each other in
/// the caches: a multiple of 16, at least cols.
std::int64_t row_stride(std::int64_t cols) noexcept;

}  // namespace zp
