#include "tensor/rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "kernel/matmul.h"
#include "number/convert.h"
#include "tensor/stored_products.h"

namespace zp {
namespace {

// Floats that a reader holds while it reads another one in full.
constexpr std::int64_t kChunk = 1 << 18;

const Converter& converter_of(DType dtype) {
  if (!info(dtype).floating) {
    throw Error("tensor", "can't be read as weights", "a floating type",
                std::string(info(dtype).name));
  }
  return converter(*find_float_format(info(dtype).name));
}

void require(bool holds, const char* what, std::int64_t expected, std::int64_t found) {
  if (!holds) throw Error("tensor", what, std::to_string(expected), std::to_string(found));
}

// Elements (r, c) of `size` bytes at r * row_step + c * col_step, gathered row-major. The shorter
// step goes inside, where neighbours share a cache line.
template <std::size_t size>
void gather(const std::byte* in, std::int64_t rows, std::int64_t cols, std::int64_t row_step,
            std::int64_t col_step, std::byte* out) {
  const auto copy = [&](std::int64_t r, std::int64_t c) {
    std::memcpy(out + (r * cols + c) * static_cast<std::int64_t>(size),
                in + (r * row_step + c * col_step) * static_cast<std::int64_t>(size), size);
  };
  if (row_step < col_step) {
    for (std::int64_t c = 0; c < cols; ++c) {
      for (std::int64_t r = 0; r < rows; ++r) copy(r, c);
    }
  } else {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < cols; ++c) copy(r, c);
    }
  }
}

class StridedRows final : public RowReader {
 public:
  StridedRows(Bytes bytes, DType dtype, std::int64_t rows, std::int64_t cols, std::int64_t row_step,
              std::int64_t col_step)
      : RowReader(rows, cols),
        bytes_(bytes),
        dtype_(dtype),
        converter_(&converter_of(dtype)),
        row_step_(row_step),
        col_step_(col_step) {
    if (checked_mul(rows, cols, "tensor") == 0) return;
    const std::int64_t last = checked_add(checked_mul(rows - 1, row_step, "tensor"),
                                          checked_mul(cols - 1, col_step, "tensor"), "tensor");
    const std::int64_t held = static_cast<std::int64_t>(bytes.size()) / info(dtype).bytes;
    require(last < held, "reaches outside its bytes, last element", held - 1, last);
  }

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    const std::byte* in = bytes_.data() + begin * row_step_ * info(dtype_).bytes;
    if (col_step_ != 1 && cols() > 1) {
      gather_rows(in, count, out);
    } else if (row_step_ == cols()) {
      converter_->to_float(in, {out, static_cast<std::size_t>(count * cols())});
    } else {
      for (std::int64_t r = 0; r < count; ++r) {
        converter_->to_float(in + r * row_step_ * info(dtype_).bytes,
                             {out + r * cols(), static_cast<std::size_t>(cols())});
      }
    }
  }

  void products(std::int64_t begin, Floats x, std::span<float> out) const override {
    if (col_step_ != 1 || row_step_ != cols()) return RowReader::products(begin, x, out);
    const std::byte* in = bytes_.data() + begin * row_step_ * info(dtype_).bytes;
    stored_products(*converter_->format, in, x, out);
  }

  std::unique_ptr<RowReader> transposed() const {
    return std::make_unique<StridedRows>(bytes_, dtype_, cols(), rows(), col_step_, row_step_);
  }

  std::unique_ptr<RowReader> sliced(std::int64_t begin, std::int64_t count,
                                    std::int64_t step) const {
    const bool empty = count == 0 || cols() == 0;
    const Bytes from = bytes_.subspan(
        static_cast<std::size_t>(empty ? 0 : begin * row_step_ * info(dtype_).bytes));
    return std::make_unique<StridedRows>(from, dtype_, count, cols(), step * row_step_, col_step_);
  }

 private:
  void gather_rows(const std::byte* in, std::int64_t count, float* out) const {
    const auto elements = static_cast<std::size_t>(count * cols());
    std::vector<std::byte> packed(converter_->packed_bytes(elements));
    const auto into_packed = [&]<std::size_t size>() {
      gather<size>(in, count, cols(), row_step_, col_step_, packed.data());
    };
    switch (info(dtype_).bytes) {
      case 1:
        into_packed.operator()<1>();
        break;
      case 2:
        into_packed.operator()<2>();
        break;
      case 4:
        into_packed.operator()<4>();
        break;
      default:
        into_packed.operator()<8>();
        break;
    }
    converter_->to_float(packed.data(), {out, elements});
  }

  Bytes bytes_;
  DType dtype_;
  const Converter* converter_;
  std::int64_t row_step_;  // in elements, as col_step_
  std::int64_t col_step_;
};

class SliceRows final : public RowReader {
 public:
  SliceRows(const RowReader& of, std::int64_t begin, std::int64_t count, std::int64_t step)
      : RowReader(count, of.cols()), of_(of), begin_(begin), step_(step) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    if (step_ == 1) return of_.read(begin_ + begin, count, out);
    for (std::int64_t r = 0; r < count; ++r) of_.read(source(begin + r), 1, out + r * cols());
  }
  void products(std::int64_t begin, Floats x, std::span<float> out) const override {
    if (step_ == 1) return of_.products(begin_ + begin, x, out);
    for (std::size_t r = 0; r < out.size(); ++r)
      of_.products(source(begin + static_cast<std::int64_t>(r)), x, out.subspan(r, 1));
  }
  bool stored(std::string_view grid, std::int64_t row,
              std::span<std::byte* const> out) const override {
    return of_.stored(grid, source(row), out);
  }

 private:
  std::int64_t source(std::int64_t row) const { return begin_ + row * step_; }

  const RowReader& of_;
  std::int64_t begin_;
  std::int64_t step_;
};

class StackedRows final : public RowReader {
 public:
  StackedRows(std::vector<const RowReader*> of, bool interleaved)
      : RowReader(std::ssize(of) * of.front()->rows(), of.front()->cols()),
        of_(std::move(of)),
        interleaved_(interleaved) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    for (std::int64_t r = begin; r < begin + count; ++r, out += cols()) {
      const auto [which, row] = source(r);
      which->read(row, 1, out);
    }
  }
  bool stored(std::string_view grid, std::int64_t row,
              std::span<std::byte* const> out) const override {
    const auto [which, its] = source(row);
    return which->stored(grid, its, out);
  }

 private:
  std::pair<const RowReader*, std::int64_t> source(std::int64_t row) const {
    const std::int64_t number = std::ssize(of_);
    const std::int64_t each = rows() / number;
    const std::int64_t which = interleaved_ ? row % number : row / each;
    return {of_[static_cast<std::size_t>(which)], interleaved_ ? row / number : row % each};
  }

  std::vector<const RowReader*> of_;
  bool interleaved_;
};

class PermutedRows final : public RowReader {
 public:
  PermutedRows(const RowReader& of, std::function<std::int64_t(std::int64_t)> source)
      : RowReader(of.rows(), of.cols()), of_(of), source_(std::move(source)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    for (std::int64_t r = 0; r < count; ++r) of_.read(source_(begin + r), 1, out + r * cols());
  }
  void products(std::int64_t begin, Floats x, std::span<float> out) const override {
    for (std::size_t r = 0; r < out.size(); ++r) {
      of_.products(source_(begin + static_cast<std::int64_t>(r)), x, out.subspan(r, 1));
    }
  }
  bool stored(std::string_view grid, std::int64_t row,
              std::span<std::byte* const> out) const override {
    return of_.stored(grid, source_(row), out);
  }

 private:
  const RowReader& of_;
  std::function<std::int64_t(std::int64_t)> source_;
};

class TransposedRows final : public RowReader {
 public:
  explicit TransposedRows(const RowReader& of) : RowReader(of.cols(), of.rows()), of_(of) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    const std::int64_t width = of_.cols();
    const std::int64_t at_once = std::clamp<std::int64_t>(kChunk / width, 1, cols());
    std::vector<float> chunk(static_cast<std::size_t>(at_once * width));
    for (std::int64_t from = 0; from < cols(); from += at_once) {
      const std::int64_t rows_here = std::min(at_once, cols() - from);
      of_.read(from, rows_here, chunk.data());
      for (std::int64_t r = 0; r < count; ++r) {
        for (std::int64_t c = 0; c < rows_here; ++c) {
          out[r * cols() + from + c] = chunk[static_cast<std::size_t>(c * width + begin + r)];
        }
      }
    }
  }

 private:
  const RowReader& of_;
};

class ReshapedRows final : public RowReader {
 public:
  ReshapedRows(const RowReader& of, std::int64_t rows, std::int64_t cols)
      : RowReader(rows, cols), of_(of), rows_of_each_(cols / of.cols()) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_.read(begin * rows_of_each_, count * rows_of_each_, out);
  }

 private:
  const RowReader& of_;
  std::int64_t rows_of_each_;
};

class ConstantRows final : public RowReader {
 public:
  ConstantRows(std::vector<float> values, std::int64_t rows, std::int64_t cols)
      : RowReader(rows, cols), values_(std::move(values)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    std::copy_n(values_.begin() + begin * cols(), count * cols(), out);
  }

 private:
  std::vector<float> values_;
};

}  // namespace

bool RowReader::stored(std::string_view, std::int64_t, std::span<std::byte* const>) const {
  return false;
}

void RowReader::products(std::int64_t begin, Floats x, std::span<float> out) const {
  multiply_read_rows(
      x, [&](std::int64_t r, std::int64_t count, float* to) { read(begin + r, count, to); }, out);
}

std::unique_ptr<RowReader> stored_rows(Bytes bytes, DType dtype, std::int64_t rows,
                                       std::int64_t cols) {
  const std::int64_t expected =
      checked_mul(checked_mul(rows, cols, "tensor"), info(dtype).bytes, "tensor");
  const auto found = static_cast<std::int64_t>(bytes.size());
  require(found == expected, "wrong number of bytes", expected, found);
  return std::make_unique<StridedRows>(bytes, dtype, rows, cols, cols, 1);
}

std::unique_ptr<RowReader> strided_rows(Bytes bytes, DType dtype, std::int64_t rows,
                                        std::int64_t cols, std::int64_t row_step,
                                        std::int64_t col_step) {
  return std::make_unique<StridedRows>(bytes, dtype, rows, cols, row_step, col_step);
}

std::unique_ptr<RowReader> slice_rows(const RowReader& of, std::int64_t begin, std::int64_t count,
                                      std::int64_t step) {
  const std::int64_t last = checked_add(
      begin, checked_mul(std::max<std::int64_t>(count - 1, 0), step, "tensor"), "tensor");
  const bool inside =
      begin >= 0 && count >= 0 && (count > 0 ? last < of.rows() : last <= of.rows());
  require(inside, "slice reaches outside its rows", of.rows(), checked_add(last, 1, "tensor"));
  if (const auto* strided = dynamic_cast<const StridedRows*>(&of))
    return strided->sliced(begin, count, step);
  return std::make_unique<SliceRows>(of, begin, count, step);
}

std::unique_ptr<RowReader> stacked_rows(std::vector<const RowReader*> of, bool interleaved) {
  for (const RowReader* one : of) {
    require(one->rows() == of.front()->rows(), "other rows than what it is stacked with",
            of.front()->rows(), one->rows());
    require(one->cols() == of.front()->cols(), "other columns than what it is stacked with",
            of.front()->cols(), one->cols());
  }
  return std::make_unique<StackedRows>(std::move(of), interleaved);
}

std::unique_ptr<RowReader> permuted_rows(const RowReader& of,
                                         std::function<std::int64_t(std::int64_t)> source) {
  return std::make_unique<PermutedRows>(of, std::move(source));
}

std::unique_ptr<RowReader> reshaped_rows(const RowReader& of, std::int64_t rows,
                                         std::int64_t cols) {
  const bool whole = of.cols() > 0 && cols % of.cols() == 0;
  require(whole, "rows are no whole rows of what they read, columns", of.cols(), cols);
  const std::int64_t values = of.rows() * of.cols();
  require(checked_mul(rows, cols, "tensor") == values, "wrong number of values", values,
          rows * cols);
  return std::make_unique<ReshapedRows>(of, rows, cols);
}

std::unique_ptr<RowReader> transposed_rows(const RowReader& of) {
  if (const auto* strided = dynamic_cast<const StridedRows*>(&of)) return strided->transposed();
  return std::make_unique<TransposedRows>(of);
}

std::unique_ptr<RowReader> constant_rows(std::vector<float> values, std::int64_t rows,
                                         std::int64_t cols) {
  const std::int64_t expected = checked_mul(rows, cols, "tensor");
  const auto found = static_cast<std::int64_t>(values.size());
  require(found == expected, "wrong number of values", expected, found);
  return std::make_unique<ConstantRows>(std::move(values), rows, cols);
}

}  // namespace zp
