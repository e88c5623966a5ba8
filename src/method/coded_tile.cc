#include "method/coded_tile.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace zp {

CodedTile::CodedTile(const Grid& grid, std::int64_t rows, std::int64_t cols, Floats importance)
    : grid_(grid),
      rows_(rows),
      cols_(cols),
      importance_(importance),
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

Floats CodedTile::importance(std::int64_t begin, std::int64_t end) const {
  if (importance_.empty()) return {};
  return importance_.subspan(static_cast<std::size_t>(begin),
                             static_cast<std::size_t>(end - begin));
}

void CodedTile::open_block(std::int64_t j, Matrix w) {
  grid_.open_block(params(j), w, importance(j, j + w.cols), Fit::search);
}

void CodedTile::open_unit(std::int64_t j, Matrix w) {
  grid_.open_unit(params(j), j % shape_.block / shape_.unit, w, importance(j, j + w.cols),
                  Fit::search);
}

void CodedTile::encode(std::int64_t j, Matrix w) {
  grid_.encode(params(j), j % shape_.block, w,
               View2D<Code>(codes_.data(), rows_, cols_).columns(j, w.cols),
               View2D<float>(values_.data(), rows_, cols_).columns(j, w.cols));
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
