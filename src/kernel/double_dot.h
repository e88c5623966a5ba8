// Products in FP64, for factors of matrices.
#pragma once

#include <cstdint>

namespace zp {

/// Rows of b that share the reading of a.
inline constexpr std::int64_t kDoubleDots = 4;

/// out[i] = a . (b + i * stride), i < kDoubleDots: eight lanes, lane l taking the products of k =
/// l, l + 8, ... in ascending k, each rounded before it is added; then the lanes in order, then
/// what is left behind the last whole eight. The same bits on every instruction set.
void double_dots(const double* a, const double* b, std::int64_t stride, std::int64_t count,
                 double* out) noexcept;
/// The same of one row.
double double_dot(const double* a, const double* b, std::int64_t count) noexcept;

/// x[i] += y[i] * factor, the product rounded first.
void add_scaled(double* x, const double* y, double factor, std::int64_t count) noexcept;

}  // namespace zp
