#include "container/container.h"

#include <numeric>

namespace zp {

std::string_view fidelity_word(Fidelity fidelity) {
  return fidelity == Fidelity::exact      ? "exact"
         : fidelity == Fidelity::repacked ? "repacked"
                                          : "quantized";
}

std::int64_t Layout::bytes() const {
  std::int64_t sum = 0;
  for (const OutputFile& f : files) sum += f.bytes;
  return sum;
}

std::int64_t Layout::copied_bytes() const {
  std::int64_t sum = 0;
  for (const OutputFile& f : files) {
    for (const auto& [offset, bytes] : f.copied) sum += std::ssize(bytes);
  }
  return sum;
}

PlaneShape plane_shape(const Grid& grid, const RowReader& rows, std::size_t plane) {
  const std::int64_t bits = grid.planes()[plane].bits;
  if (grid.whole_tensor()) return {1, grid.row_elements(plane, rows.rows() * rows.cols()), bits};
  return {rows.rows(), grid.row_elements(plane, rows.cols()), bits};
}

PlaneShape TensorJob::plane_shape(std::size_t plane) const {
  return zp::plane_shape(*grid, *rows, plane);
}

std::int64_t TensorJob::rows_together() const {
  std::int64_t together = 1;
  for (std::size_t p = 0; p < planes.size(); ++p)
    together = std::lcm(together, zp::rows_together(planes[p].form, plane_shape(p)));
  return together;
}

}  // namespace zp
