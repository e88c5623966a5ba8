#include "tensor/same_values.h"

#include <algorithm>
#include <cstring>

namespace zp {
namespace {

bool same_rows(const RowReader& a, const RowReader& b) {
  constexpr std::int64_t kChunk = 1 << 18;  // values
  const std::int64_t step = std::max<std::int64_t>(1, kChunk / std::max<std::int64_t>(1, a.cols()));
  const auto most = static_cast<std::size_t>(std::min(step, a.rows()) * a.cols());
  std::vector<float> of_a(most);
  std::vector<float> of_b(most);
  for (std::int64_t r = 0; r < a.rows(); r += step) {
    const std::int64_t rows = std::min(step, a.rows() - r);
    a.read(r, rows, of_a.data());
    b.read(r, rows, of_b.data());
    const auto bytes = static_cast<std::size_t>(rows * a.cols()) * sizeof(float);
    if (std::memcmp(of_a.data(), of_b.data(), bytes) != 0) return false;
  }
  return true;
}

}  // namespace

bool same_values(const Tensor& a, const Tensor& b) {
  const bool mapped = a.type == b.type && !a.stored.empty() && a.stored.size() == b.stored.size();
  if (!mapped) return same_rows(*a.rows, *b.rows);
  return a.stored.data() == b.stored.data() ||
         std::memcmp(a.stored.data(), b.stored.data(), a.stored.size()) == 0;
}

}  // namespace zp
