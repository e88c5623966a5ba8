#include "grid/grid.h"

#include <array>
#include <utility>

#include "base/checked.h"

namespace zp {

std::string_view family_name(Family family) {
  static constexpr std::array<std::string_view, 5> kNames = {"float", "affine", "codebook",
                                                             "micro-scaled", "blocks"};
  return kNames[static_cast<std::size_t>(family)];
}

std::string why_no_multiple(std::int64_t cols, std::int64_t of) {
  if (cols % of == 0) return "";
  return std::to_string(cols) + " columns are no multiple of " + std::to_string(of);
}

Grid::Grid(std::string spec, Family family, std::vector<Plane> planes, double limit,
           std::optional<AffineForm> affine)
    : spec_(std::move(spec)),
      family_(family),
      planes_(std::move(planes)),
      limit_(limit),
      affine_(affine) {}

std::int64_t Grid::row_elements(std::size_t plane, std::int64_t cols) const {
  const std::int64_t weights = planes_[plane].weights;
  return weights == 0 ? 1 : ceil_div(cols, weights);
}

std::int64_t Grid::row_bytes(std::size_t plane, std::int64_t cols) const {
  const std::int64_t elements = row_elements(plane, cols);
  const std::int64_t bits = planes_[plane].bits;
  return elements / 8 * bits + ceil_div(elements % 8 * bits, 8);  // eight take `bits` bytes
}

std::int64_t Grid::bytes(std::int64_t rows, std::int64_t cols) const {
  if (whole_tensor()) {
    cols *= rows;
    rows = 1;
  }
  std::int64_t sum = 0;
  for (std::size_t p = 0; p < planes_.size(); ++p) sum += rows * row_bytes(p, cols);
  return sum;
}

double Grid::bits_per_weight(std::int64_t rows, std::int64_t cols) const {
  return 8.0 * static_cast<double>(bytes(rows, cols)) / static_cast<double>(rows * cols);
}

}  // namespace zp
