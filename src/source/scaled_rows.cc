#include "source/scaled_rows.h"

#include <vector>

#include "base/checked.h"

namespace zp {
namespace {

class ScaledRows final : public RowReader {
 public:
  ScaledRows(std::unique_ptr<RowReader> of, std::unique_ptr<RowReader> scales,
             std::int64_t row_block, std::int64_t col_block, ScaleUse use)
      : RowReader(of->rows(), of->cols()),
        of_(std::move(of)),
        scales_(std::move(scales)),
        row_block_(row_block),
        col_block_(col_block),
        use_(use) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_->read(begin, count, out);
    std::vector<float> scales(static_cast<std::size_t>(scales_->cols()));
    std::int64_t there = -1;  // the row of scales that was read
    for (std::int64_t r = begin; r < begin + count; ++r) {
      if (const std::int64_t wanted = r / row_block_; wanted != there)
        scales_->read(there = wanted, 1, scales.data());
      for (std::int64_t c = 0; c < cols(); ++c, ++out) {
        const float s = scales[static_cast<std::size_t>(c / col_block_)];
        *out = use_ == ScaleUse::multiply ? *out * s : *out / s;
      }
    }
  }

 private:
  std::unique_ptr<RowReader> of_;
  std::unique_ptr<RowReader> scales_;
  std::int64_t row_block_;
  std::int64_t col_block_;
  ScaleUse use_;
};

}  // namespace

std::unique_ptr<RowReader> scaled_rows(std::unique_ptr<RowReader> of,
                                       std::unique_ptr<RowReader> scales, std::int64_t row_block,
                                       std::int64_t col_block, ScaleUse use) {
  if (scales->rows() != ceil_div(of->rows(), row_block) ||
      scales->cols() != ceil_div(of->cols(), col_block)) {
    return nullptr;
  }
  return std::make_unique<ScaledRows>(std::move(of), std::move(scales), row_block, col_block, use);
}

}  // namespace zp
