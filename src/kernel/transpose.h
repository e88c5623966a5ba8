// A matrix turned: its columns become rows.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/view.h"

namespace zp {

/// out[j][i] = x[i][j]; sixteen by sixteen, so that both sides stay in the first cache.
template <class T>
void transpose(View2D<const T> x, View2D<T> out) noexcept {
  constexpr std::int64_t kSide = 16;
  for (std::int64_t j = 0; j < x.cols; j += kSide) {
    const std::int64_t cols = std::min(kSide, x.cols - j);
    for (std::int64_t i = 0; i < x.rows; i += kSide) {
      const std::int64_t rows = std::min(kSide, x.rows - i);
      for (std::int64_t c = 0; c < cols; ++c) {
        T* const to = out.data + (j + c) * out.stride + i;
        const T* const from = x.data + i * x.stride + j + c;
        for (std::int64_t r = 0; r < rows; ++r) to[r] = from[r * x.stride];
      }
    }
  }
}

}  // namespace zp
