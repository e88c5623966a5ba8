#include "source/grid_rows.h"

namespace zp {
namespace {

class GridRows final : public RowReader {
 public:
  GridRows(std::vector<Bytes> planes, std::unique_ptr<Grid> grid, std::int64_t rows,
           std::int64_t cols)
      : RowReader(rows, cols), planes_(std::move(planes)), grid_(std::move(grid)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    grid_->decode(from(begin), View2D<float>(out, count, cols()));
  }
  void products(std::int64_t begin, Floats x, std::span<float> out) const override {
    grid_->products(from(begin), x, out);
  }

 private:
  std::vector<const std::byte*> from(std::int64_t row) const {
    std::vector<const std::byte*> in;
    for (std::size_t p = 0; p < planes_.size(); ++p)
      in.push_back(planes_[p].data() + row * grid_->row_bytes(p, cols()));
    return in;
  }

  std::vector<Bytes> planes_;
  std::unique_ptr<Grid> grid_;
};

bool fits(Bytes bytes, std::int64_t row_bytes, std::int64_t rows) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (rows == 0 || row_bytes == 0) return size == 0;
  return size % rows == 0 && size / rows == row_bytes;
}

}  // namespace

std::unique_ptr<RowReader> grid_rows(std::vector<Bytes> planes, std::unique_ptr<Grid> grid,
                                     std::int64_t rows, std::int64_t cols) {
  if (grid->planes().size() != planes.size() || grid->whole_tensor() ||
      !grid->why_not(cols).empty()) {
    return nullptr;
  }
  for (std::size_t p = 0; p < planes.size(); ++p) {
    if (!fits(planes[p], grid->row_bytes(p, cols), rows)) return nullptr;
  }
  return std::make_unique<GridRows>(std::move(planes), std::move(grid), rows, cols);
}

}  // namespace zp
