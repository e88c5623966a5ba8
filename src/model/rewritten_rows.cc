#include "model/rewritten_rows.h"

#include <algorithm>
#include <utility>

#include "kernel/functions.h"

namespace zp {
namespace {

class ChangedRows final : public RowReader {
 public:
  ChangedRows(const RowReader& of, Change change, std::shared_ptr<RowBlocks> blocks)
      : RowReader(of.rows(), of.cols()),
        of_(of),
        change_(std::move(change)),
        blocks_(std::move(blocks)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    const View2D<float> to(out, count, cols());
    read_turned(begin, to);
    for (std::int64_t r = 0; r < count; ++r) {
      if (!change_.column_factors.empty()) multiply(to.row(r), change_.column_factors);
      if (!change_.column_rotation.empty()) rotate(change_.column_rotation, to.row(r));
    }
  }

 private:
  void read_scaled(std::int64_t begin, View2D<float> to) const {
    of_.read(begin, to.rows, to.data);
    if (change_.row_factors.empty()) return;
    for (std::int64_t r = 0; r < to.rows; ++r)
      scale(to.row(r), change_.row_factors[static_cast<std::size_t>(begin + r)]);
  }

  void read_turned(std::int64_t begin, View2D<float> to) const {
    if (change_.row_rotation.empty()) return read_scaled(begin, to);
    const std::int64_t block = change_.row_rotation.block;
    for (std::int64_t r = 0; r < to.rows;) {
      const std::int64_t row = begin + r;
      const bool turned = row >= change_.turned_begin && row < change_.turned_end;
      const std::int64_t before = row - change_.turned_begin;
      const std::int64_t index = turned ? before / block : 0;
      const std::int64_t end = turned       ? change_.turned_begin + (index + 1) * block
                               : before < 0 ? change_.turned_begin
                                            : rows();
      const std::int64_t count = std::min(to.rows - r, end - row);
      if (turned) {
        const RowBlocks::Block all = blocks_->get(this, index, [&] { return turn(index); });
        std::copy_n(all->begin() + (before - index * block) * cols(), count * cols(),
                    to.row(r).begin());
      } else {
        read_scaled(row, {to.row(r).data(), count, cols()});
      }
      r += count;
    }
  }

  std::vector<float> turn(std::int64_t index) const {
    const std::int64_t block = change_.row_rotation.block;
    std::vector<float> values(static_cast<std::size_t>(block * cols()));
    const View2D<float> rows(values.data(), block, cols());
    read_scaled(change_.turned_begin + index * block, rows);
    rotate_columns(change_.row_rotation, index * block, rows);
    return values;
  }

  const RowReader& of_;
  Change change_;
  std::shared_ptr<RowBlocks> blocks_;
};

// What the matrix has as rows are a bias's columns.
class ChangedBias final : public RowReader {
 public:
  ChangedBias(const RowReader& of, Change change)
      : RowReader(of.rows(), of.cols()), of_(of), change_(std::move(change)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_.read(begin, count, out);
    for (std::int64_t r = 0; r < count; ++r) {
      const std::span<float> row(out + r * cols(), static_cast<std::size_t>(cols()));
      if (!change_.row_factors.empty()) multiply(row, change_.row_factors);
      if (change_.row_rotation.empty()) continue;
      const auto first = static_cast<std::size_t>(change_.turned_begin);
      rotate(change_.row_rotation,
             row.subspan(first, static_cast<std::size_t>(change_.turned_end) - first));
    }
  }

 private:
  const RowReader& of_;
  Change change_;
};

// A norm's weight w, of which `one` + w is what it multiplies by: (one + w) factor - one.
class ScaledNorm final : public RowReader {
 public:
  ScaledNorm(const RowReader& of, std::vector<float> factors, float one)
      : RowReader(of.rows(), of.cols()), of_(of), factors_(std::move(factors)), one_(one) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_.read(begin, count, out);
    for (std::size_t j = 0; count > 0 && j < factors_.size(); ++j)
      out[j] = (one_ + out[j]) * factors_[j] - one_;
  }

 private:
  const RowReader& of_;
  std::vector<float> factors_;
  float one_;
};

}  // namespace

std::unique_ptr<RowReader> rewritten_rows(const Weight& weight, const Change& change,
                                          bool norm_plus_one, std::shared_ptr<RowBlocks> blocks) {
  const bool bias = weight.use.part == Part::bias;
  if (!is_matrix(weight.use.place.role)) {
    const float one = norm_plus_one && is_norm(weight.use.place.role) && !bias ? 1.0f : 0.0f;
    if (!change.ones) return std::make_unique<ScaledNorm>(*weight.rows, change.column_factors, one);
    return constant_rows(std::vector<float>(static_cast<std::size_t>(weight.use.cols), 1.0f - one),
                         1, weight.use.cols);
  }
  if (!bias) return std::make_unique<ChangedRows>(*weight.rows, change, std::move(blocks));
  return std::make_unique<ChangedBias>(*weight.rows, change);
}

}  // namespace zp
