#include "method/coded_tile.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/checked.h"
#include "kernel/transpose.h"

namespace zp {

CodedTile::CodedTile(const Grid& grid, std::int64_t rows, std::int64_t cols)
    : grid_(grid),
      rows_(rows),
      cols_(cols),
      shape_(grid.shape(cols)),
      params_bytes_(grid.params_bytes(cols)),
      blocks_(ceil_div(cols, shape_.block)),
      params_(static_cast<std::size_t>(blocks_ * rows * params_bytes_)),
      codes_(static_cast<std::size_t>(rows * cols)),
      values_(static_cast<std::size_t>(rows * cols)) {}

std::int64_t CodedTile::block_end(std::int64_t j) const {
  return std::min(cols_, (j / shape_.block + 1) * shape_.block);
}

std::int64_t CodedTile::unit_end(std::int64_t j) const {
  const std::int64_t block = j / shape_.block * shape_.block;
  return std::min(block_end(j), block + ((j - block) / shape_.unit + 1) * shape_.unit);
}

std::int64_t CodedTile::step_end(std::int64_t j) const {
  return std::min(unit_end(j), j + shape_.step);
}

std::span<std::byte> CodedTile::params(std::int64_t j) {
  const auto bytes = static_cast<std::size_t>(rows_ * params_bytes_);
  return std::span(params_).subspan(static_cast<std::size_t>(j / shape_.block) * bytes, bytes);
}

void CodedTile::open_block(std::int64_t j, Matrix w, Floats importance) {
  grid_.open_block(params(j).data(), w, importance, Fit::search);
}

void CodedTile::open_unit(std::int64_t j, Matrix w, Floats importance) {
  grid_.open_unit(params(j).data(), j % shape_.block / shape_.unit, w, importance, Fit::search);
}

void CodedTile::encode(std::int64_t j, Matrix w) {
  const View2D<Code> codes = View2D<Code>(codes_.data(), cols_, rows_).rows_from(j, w.rows);
  const View2D<float> values = View2D<float>(values_.data(), cols_, rows_).rows_from(j, w.rows);
  const std::byte* const of_block = params(j).data();
  const std::int64_t at = j % shape_.block;
  if (w.rows == 1 || rows_ == 1) {  // turned it is the same
    return grid_.encode(of_block, at, {w.data, rows_, w.rows}, {codes.data, rows_, w.rows},
                        {values.data, rows_, w.rows});
  }
  const auto in_rows = [&](auto& scratch) {
    scratch.resize(static_cast<std::size_t>(rows_ * w.rows));
    return View2D(scratch.data(), rows_, w.rows);
  };
  const View2D<float> weights = in_rows(step_weights_);
  const View2D<Code> row_codes = in_rows(step_codes_);
  const View2D<float> row_values = in_rows(step_values_);
  transpose(w, weights);
  grid_.encode(of_block, at, weights, row_codes, row_values);
  transpose(View2D<const Code>(row_codes), codes);
  transpose(Matrix(row_values), values);
}

CodedTile::Part CodedTile::part(std::int64_t begin, std::int64_t end) {
  const auto of_columns = [&](const auto& all) {
    return std::remove_cvref_t<decltype(all)>(all.begin() + begin * rows_,
                                              all.begin() + end * rows_);
  };
  return {{params(begin).begin(), params(begin).end()}, of_columns(codes_), of_columns(values_)};
}

void CodedTile::put_back(std::int64_t begin, const Part& part, std::int64_t r) {
  std::copy_n(part.params.begin() + r * params_bytes_, params_bytes_,
              params(begin).begin() + r * params_bytes_);
  for (std::int64_t k = r; k < std::ssize(part.codes); k += rows_) {
    codes_[static_cast<std::size_t>(begin * rows_ + k)] = part.codes[static_cast<std::size_t>(k)];
    values_[static_cast<std::size_t>(begin * rows_ + k)] = part.values[static_cast<std::size_t>(k)];
  }
}

void CodedTile::pack(PlanesOut out) const {
  constexpr std::int64_t kTogether = 16;  // rows that share the reading of the columns
  std::vector<std::byte*> to(out.begin(), out.end());
  std::vector<std::byte> row(static_cast<std::size_t>(blocks_ * params_bytes_));
  std::vector<Code> codes(static_cast<std::size_t>(kTogether * cols_));
  for (std::int64_t r = 0; r < rows_; ++r) {
    if (r % kTogether == 0) {
      const std::int64_t rows = std::min(kTogether, rows_ - r);
      transpose(View2D<const Code>(codes_.data() + r, cols_, rows, rows_),
                View2D<Code>(codes.data(), rows, cols_));
    }
    for (std::int64_t b = 0; b < blocks_; ++b) {
      std::memcpy(row.data() + b * params_bytes_, params_.data() + (b * rows_ + r) * params_bytes_,
                  static_cast<std::size_t>(params_bytes_));
    }
    grid_.pack(row.data(),
               std::span(codes).subspan(static_cast<std::size_t>(r % kTogether * cols_),
                                        static_cast<std::size_t>(cols_)),
               to);
    for (std::size_t p = 0; p < to.size(); ++p) to[p] += grid_.row_bytes(p, cols_);
  }
}

}  // namespace zp
