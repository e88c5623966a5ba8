// Weights read row by row as FP32, whatever they are stored as.
//
// A RowReader is how weights stream: nothing is converted before a tile of rows is asked for.
// Derived readers (a slice, a permutation, a transpose) wrap another one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/view.h"
#include "tensor/dtype.h"

namespace zp {

/// Const use from many threads is safe.
class RowReader {
 public:
  RowReader(std::int64_t rows, std::int64_t cols) : rows_(rows), cols_(cols) {}
  virtual ~RowReader() = default;
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  /// out: count x cols() values of rows [begin, begin + count), row-major.
  virtual void read(std::int64_t begin, std::int64_t count, float* out) const = 0;
  /// out[r] = dot(x, row begin + r) of kernel/matmul.h, to the bit; x: cols() values. Readers that
  /// can multiply what they hold as it lies do.
  virtual void products(std::int64_t begin, Floats x, std::span<float> out) const;
  /// The planes of a row that is stored on the grid of that spec: out[i] has room for those bytes of
  /// plane i. Returns false, with nothing of use there, where it isn't.
  virtual bool stored(std::string_view grid, std::int64_t row,
                      std::span<std::byte* const> out) const;

 private:
  std::int64_t rows_;
  std::int64_t cols_;
};

// All throw Error when the sizes don't fit each other, and borrow what they read: `bytes` and `of`
// outlive the reader.

/// Rows of a row-major array in memory, of any alignment. Floating types only; FP64 is rounded to
/// FP32. bytes.size() must be rows * cols * the type's size.
std::unique_ptr<RowReader> stored_rows(Bytes bytes, DType dtype, std::int64_t rows,
                                       std::int64_t cols);
/// Any strided matrix (PyTorch stores such): element (r, c) lies r * row_step + c * col_step
/// elements after the first byte; steps aren't negative.
std::unique_ptr<RowReader> strided_rows(Bytes bytes, DType dtype, std::int64_t rows,
                                        std::int64_t cols, std::int64_t row_step,
                                        std::int64_t col_step);
/// Rows begin, begin + step ... of `of`, `count` of them; step > 0.
std::unique_ptr<RowReader> slice_rows(const RowReader& of, std::int64_t begin, std::int64_t count,
                                      std::int64_t step = 1);
/// All rows of readers of one shape, one reader's behind the other's, or row by row in turns.
std::unique_ptr<RowReader> stacked_rows(std::vector<const RowReader*> of, bool interleaved);
/// Row i of the result is row source(i) of `of`; as many rows.
std::unique_ptr<RowReader> permuted_rows(const RowReader& of,
                                         std::function<std::int64_t(std::int64_t)> source);
/// The same values in the same order, in rows of as many of the rows of `of` as fill one.
std::unique_ptr<RowReader> reshaped_rows(const RowReader& of, std::int64_t rows, std::int64_t cols);
/// The transpose of `of`. Every read goes through all rows of `of`, some at a time, unless it is
/// stored or strided: then only what is asked for is touched.
std::unique_ptr<RowReader> transposed_rows(const RowReader& of);
/// Values held in memory.
std::unique_ptr<RowReader> constant_rows(std::vector<float> values, std::int64_t rows,
                                         std::int64_t cols);

/// A named array of a checkpoint.
struct Tensor {
  std::string name;
  std::string type;                 ///< a dtype's or a grid's name
  std::vector<std::int64_t> shape;  ///< outermost first
  std::int64_t bytes = 0;           ///< as stored
  /// As matrix: the last dimension is the columns, the others the rows; 1-D is one row.
  /// nullptr for types that aren't weights (integers, booleans).
  std::unique_ptr<RowReader> rows;
  /// The bytes where they lie side by side in a mapped file, else empty.
  Bytes stored = {};
};

}  // namespace zp
