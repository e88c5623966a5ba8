#include "method/coded_tile.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

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
  grid_.encode(params(j).data(), j % shape_.block, w,
               View2D<Code>(codes_.data(), rows_, cols_).columns(j, w.cols),
               View2D<float>(values_.data(), rows_, cols_).columns(j, w.cols));
}

CodedTile::Part CodedTile::part(std::int64_t begin, std::int64_t end) {
  Part out;
  out.params.assign(params(begin).begin(), params(begin).end());
  for (std::int64_t r = 0; r < rows_; ++r) {
    for (std::int64_t k = r * cols_ + begin; k < r * cols_ + end; ++k) {
      out.codes.push_back(codes_[static_cast<std::size_t>(k)]);
      out.values.push_back(values_[static_cast<std::size_t>(k)]);
    }
  }
  return out;
}

void CodedTile::put_back(std::int64_t begin, const Part& part, std::int64_t r) {
  const std::int64_t count = std::ssize(part.codes) / rows_;
  std::copy_n(part.params.begin() + r * params_bytes_, params_bytes_,
              params(begin).begin() + r * params_bytes_);
  std::copy_n(part.codes.begin() + r * count, count, codes_.begin() + r * cols_ + begin);
  std::copy_n(part.values.begin() + r * count, count, values_.begin() + r * cols_ + begin);
}

void CodedTile::pack(PlanesOut out) const {
  std::vector<std::byte*> to(out.begin(), out.end());
  std::vector<std::byte> row(static_cast<std::size_t>(blocks_ * params_bytes_));
  for (std::int64_t r = 0; r < rows_; ++r) {
    for (std::int64_t b = 0; b < blocks_; ++b) {
      std::memcpy(row.data() + b * params_bytes_, params_.data() + (b * rows_ + r) * params_bytes_,
                  static_cast<std::size_t>(params_bytes_));
    }
    grid_.pack(row.data(),
               std::span(codes_).subspan(static_cast<std::size_t>(r * cols_),
                                         static_cast<std::size_t>(cols_)),
               to);
    for (std::size_t p = 0; p < to.size(); ++p) to[p] += grid_.row_bytes(p, cols_);
  }
}

}  // namespace zp
