// Borrowed rectangles: View2D<T> is rows x cols with a row stride, in elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace zp {

template <class T>
struct View2D {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;  ///< elements from one row to the next, >= cols

  View2D() = default;
  View2D(T* d, std::int64_t r, std::int64_t c) : View2D(d, r, c, c) {}
  View2D(T* d, std::int64_t r, std::int64_t c, std::int64_t s)
      : data(d), rows(r), cols(c), stride(s) {}

  std::span<T> row(std::int64_t r) const {
    return {data + r * stride, static_cast<std::size_t>(cols)};
  }
  /// Rows [begin, begin + count).
  View2D rows_from(std::int64_t begin, std::int64_t count) const {
    return {data + begin * stride, count, cols, stride};
  }
  /// Columns [begin, begin + count) of all rows.
  View2D columns(std::int64_t begin, std::int64_t count) const {
    return {data + begin, rows, count, stride};
  }
  operator View2D<const T>() const { return {data, rows, cols, stride}; }
};

using Floats = std::span<const float>;
using Matrix = View2D<const float>;
using Bytes = std::span<const std::byte>;

}  // namespace zp
