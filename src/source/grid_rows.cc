#include "source/grid_rows.h"

namespace zp {
namespace {

class GridRows final : public RowReader {
 public:
  GridRows(std::vector<Bytes> planes, std::unique_ptr<Grid> grid, std::int64_t rows,
           std::int64_t cols, std::int64_t spacing)
      : RowReader(rows, cols),
        planes_(std::move(planes)),
        grid_(std::move(grid)),
        spacing_(spacing) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    if (spacing_ == 1) return grid_->decode(from(begin), View2D<float>(out, count, cols()));
    for (std::int64_t r = 0; r < count; ++r)
      grid_->decode(from(begin + r), View2D<float>(out + r * cols(), 1, cols()));
  }
  void products(std::int64_t begin, Floats x, std::span<float> out) const override {
    if (spacing_ == 1) return grid_->products(from(begin), x, out);
    for (std::size_t r = 0; r < out.size(); ++r)
      grid_->products(from(begin + static_cast<std::int64_t>(r)), x, out.subspan(r, 1));
  }

 private:
  std::vector<const std::byte*> from(std::int64_t row) const {
    std::vector<const std::byte*> in;
    for (std::size_t p = 0; p < planes_.size(); ++p)
      in.push_back(planes_[p].data() + row * spacing_ * grid_->row_bytes(p, cols()));
    return in;
  }

  std::vector<Bytes> planes_;
  std::unique_ptr<Grid> grid_;
  std::int64_t spacing_;
};

// Of so many rows one behind the other.
bool fits(Bytes bytes, std::int64_t row_bytes, std::int64_t rows) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (rows == 0 || row_bytes == 0) return size == 0;
  return size % rows == 0 && size / rows == row_bytes;
}

}  // namespace

std::string_view scale_word(std::string_view type) {
  return type == "fp32" ? "s32" : type == "fp16" ? "s16" : type == "bf16" ? "sbf16" : "";
}

std::unique_ptr<RowReader> grid_rows(std::vector<Bytes> planes, std::unique_ptr<Grid> grid,
                                     std::int64_t rows, std::int64_t cols, Turn turn) {
  if (grid->planes().size() != planes.size() || grid->whole_tensor() ||
      !grid->why_not(cols).empty()) {
    return nullptr;
  }
  if (rows % turn.of != 0) return nullptr;
  for (std::size_t p = 0; p < planes.size(); ++p) {
    const std::int64_t row_bytes = grid->row_bytes(p, cols);
    if (!fits(planes[p], row_bytes, rows)) return nullptr;
    if (rows > 0) planes[p] = planes[p].subspan(static_cast<std::size_t>(turn.index * row_bytes));
  }
  return std::make_unique<GridRows>(std::move(planes), std::move(grid), rows / turn.of, cols,
                                    turn.of);
}

}  // namespace zp
