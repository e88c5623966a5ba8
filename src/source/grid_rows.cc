#include "source/grid_rows.h"

#include <algorithm>
#include <cstring>

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
  bool stored(std::string_view grid, std::int64_t row,
              std::span<std::byte* const> out) const override {
    if (grid != grid_->spec()) return false;
    const std::vector<const std::byte*> in = from(row);
    for (std::size_t p = 0; p < in.size(); ++p)
      std::memcpy(out[p], in[p], static_cast<std::size_t>(grid_->row_bytes(p, cols())));
    return true;
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

// Of so many rows, by grids whose planes may lie in the file otherwise than a grid has them.
class PackedGridRows final : public RowReader {
 public:
  PackedGridRows(std::vector<PackedPlane> planes, std::unique_ptr<Grid> grid, std::int64_t rows,
                 std::int64_t cols)
      : RowReader(rows, cols), planes_(std::move(planes)), grid_(std::move(grid)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    const auto planes = unpacked(begin, count);
    std::vector<const std::byte*> in;
    for (const std::vector<std::byte>& plane : planes) in.push_back(plane.data());
    grid_->decode(in, View2D<float>(out, count, cols()));
  }
  bool stored(std::string_view grid, std::int64_t row,
              std::span<std::byte* const> out) const override {
    if (grid != grid_->spec()) return false;
    const auto planes = unpacked(row, 1);
    for (std::size_t p = 0; p < planes.size(); ++p) std::ranges::copy(planes[p], out[p]);
    return true;
  }

  static PlaneShape shape_of(const Grid& grid, std::int64_t rows, std::int64_t cols,
                             std::size_t plane) {
    return {rows, grid.row_elements(plane, cols), grid.planes()[plane].bits};
  }

 private:
  std::vector<std::vector<std::byte>> unpacked(std::int64_t begin, std::int64_t count) const {
    std::vector<std::vector<std::byte>> planes;
    for (std::size_t p = 0; p < planes_.size(); ++p) {
      const PlaneShape shape = shape_of(*grid_, rows(), cols(), p);
      auto& bytes = planes.emplace_back(static_cast<std::size_t>(count * shape.row_bytes()));
      unpack_rows(planes_[p].form, shape, planes_[p].bytes, begin, count, bytes);
    }
    return planes;
  }

  std::vector<PackedPlane> planes_;
  std::unique_ptr<Grid> grid_;
};

// Whether the file has rows as the grid has them.
bool is_plain(const PlaneForm& form, const PlaneShape& shape) {
  PlaneForm plain = form;
  plain.along = WordsAlong::row;
  const bool whole_bytes = shape.cols * shape.bits % 8 == 0;
  return plain == PlaneForm{.word = form.word} && (whole_bytes || form.along == WordsAlong::row) &&
         form.along != WordsAlong::column;
}

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

std::unique_ptr<RowReader> grid_rows(std::vector<PackedPlane> planes, std::unique_ptr<Grid> grid,
                                     std::int64_t rows, std::int64_t cols) {
  if (grid->planes().size() != planes.size() || grid->whole_tensor() ||
      !grid->why_not(cols).empty()) {
    return nullptr;
  }
  bool plain = true;
  std::vector<Bytes> bytes;
  for (std::size_t p = 0; p < planes.size(); ++p) {
    const PlaneShape shape = PackedGridRows::shape_of(*grid, rows, cols, p);
    if (std::ssize(planes[p].bytes) != file_bytes(planes[p].form, shape)) return nullptr;
    plain = plain && is_plain(planes[p].form, shape);
    bytes.push_back(planes[p].bytes);
  }
  if (plain) return grid_rows(std::move(bytes), std::move(grid), rows, cols);
  return std::make_unique<PackedGridRows>(std::move(planes), std::move(grid), rows, cols);
}

}  // namespace zp
