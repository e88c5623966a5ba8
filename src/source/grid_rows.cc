#include "source/grid_rows.h"

#include <array>

namespace zp {
namespace {

class GridRows final : public RowReader {
 public:
  GridRows(Bytes bytes, std::unique_ptr<Grid> grid, std::int64_t rows, std::int64_t cols)
      : RowReader(rows, cols), bytes_(bytes), grid_(std::move(grid)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    const std::array planes = {bytes_.data() + begin * grid_->row_bytes(0, cols())};
    grid_->decode(planes, View2D<float>(out, count, cols()));
  }

 private:
  Bytes bytes_;
  std::unique_ptr<Grid> grid_;
};

}  // namespace

std::unique_ptr<RowReader> grid_rows(Bytes bytes, std::unique_ptr<Grid> grid, std::int64_t rows,
                                     std::int64_t cols) {
  if (grid->planes().size() != 1 || grid->whole_tensor() || !grid->why_not(cols).empty())
    return nullptr;
  if (grid->row_bytes(0, cols) * rows != static_cast<std::int64_t>(bytes.size())) return nullptr;
  return std::make_unique<GridRows>(bytes, std::move(grid), rows, cols);
}

}  // namespace zp
