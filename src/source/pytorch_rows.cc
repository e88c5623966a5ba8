#include "source/pytorch_rows.h"

#include <algorithm>

#include "base/checked.h"
#include "source/checkpoint.h"

namespace zp::pytorch {
namespace {

// Rows whose places follow no single step (a permuted tensor of three dimensions or more): each is
// found by its indices.
class FoldedRows final : public RowReader {
 public:
  FoldedRows(Bytes bytes, const TensorRecord& tensor, MatrixShape matrix)
      : RowReader(matrix.rows, matrix.cols),
        bytes_(bytes),
        dtype_(tensor.dtype),
        shape_(tensor.shape),
        strides_(tensor.strides) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    for (std::int64_t r = begin; r < begin + count; ++r, out += cols()) {
      const auto skip = static_cast<std::size_t>(place(r) * info(dtype_).bytes);
      strided_rows(bytes_.subspan(skip), dtype_, 1, cols(), 0, strides_.back())->read(0, 1, out);
    }
  }

 private:
  std::int64_t place(std::int64_t row) const {
    std::int64_t element = 0;
    for (std::size_t d = shape_.size() - 1; d-- > 0;) {
      element += row % shape_[d] * strides_[d];
      row /= shape_[d];
    }
    return element;
  }

  Bytes bytes_;
  DType dtype_;
  std::vector<std::int64_t> shape_;
  std::vector<std::int64_t> strides_;
};

// The step from row to row when all rows have the same one.
bool one_row_step(const TensorRecord& t, std::int64_t& step) {
  bool first = true;
  std::int64_t covered = 0;  // what the dimensions further in make together
  step = 0;
  for (std::size_t d = t.shape.size() - 1; d-- > 0;) {
    if (t.shape[d] == 1) continue;
    if (first) {
      step = t.strides[d];
    } else if (t.strides[d] != covered) {
      return false;
    }
    first = false;
    covered = t.strides[d] * t.shape[d];
  }
  return true;
}

}  // namespace

std::int64_t check_inside(const TensorRecord& t, std::int64_t storage_bytes,
                          const std::string& where) {
  const std::int64_t held = storage_bytes / info(t.dtype).bytes;
  std::int64_t elements = 1;
  std::int64_t last = t.offset;
  for (std::size_t d = 0; d < t.shape.size(); ++d) {
    elements = checked_mul(elements, t.shape[d], where);
    if (t.shape[d] > 0)
      last = checked_add(last, checked_mul(t.shape[d] - 1, t.strides[d], where), where);
  }
  if (elements > 0 && last >= held) {
    throw Error(where, "tensor reaches outside its storage", std::to_string(held) + " elements",
                "element " + std::to_string(last));
  }
  return checked_mul(elements, info(t.dtype).bytes, where);
}

Bytes side_by_side(const TensorRecord& t, Bytes storage) {
  if (std::ranges::find(t.shape, 0) != t.shape.end()) return {};
  std::int64_t elements = 1;  // further in
  for (std::size_t d = t.shape.size(); d-- > 0;) {
    if (t.shape[d] != 1 && t.strides[d] != elements) return {};
    elements *= t.shape[d];  // check_inside found it to fit
  }
  const std::int64_t bytes = info(t.dtype).bytes;
  return storage.subspan(static_cast<std::size_t>(t.offset * bytes),
                         static_cast<std::size_t>(elements * bytes));
}

std::unique_ptr<RowReader> rows_of(const TensorRecord& t, Bytes storage, const std::string& where) {
  const MatrixShape matrix = matrix_shape(t.shape, where);
  if (matrix.rows == 0) return stored_rows({}, t.dtype, 0, 0);
  const std::int64_t held = static_cast<std::int64_t>(storage.size()) / info(t.dtype).bytes;
  if (checked_mul(matrix.rows, matrix.cols, where) > std::max(held, kMostExpanded)) return nullptr;
  const Bytes bytes = storage.subspan(static_cast<std::size_t>(t.offset * info(t.dtype).bytes));
  if (t.shape.empty()) return strided_rows(bytes, t.dtype, 1, 1, 0, 0);
  std::int64_t row_step = 0;
  if (!one_row_step(t, row_step)) return std::make_unique<FoldedRows>(bytes, t, matrix);
  return strided_rows(bytes, t.dtype, matrix.rows, matrix.cols, row_step, t.strides.back());
}

}  // namespace zp::pytorch
