// Every registered grid on any bytes: decoded as they come, and coded from what they are as floats.
// The first byte chooses the family, so that all have the same share of the time, the second the
// grid, the third the length of rows; the rest fills the planes.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "grid/grid.h"
#include "kernel/matmul.h"

namespace {

using Planes = std::vector<std::vector<std::byte>>;
constexpr std::int64_t kRows = 5;  // four side by side and one alone

using Grids = std::vector<std::unique_ptr<zp::Grid>>;

const std::vector<Grids>& families() {
  static const auto all = [] {
    std::vector<Grids> made;
    for (const zp::GridFamily* family : zp::grid_families()) {
      made.emplace_back();
      for (const std::string& spec : family->examples()) made.back().push_back(zp::make_grid(spec));
    }
    return made;
  }();
  return all;
}

/// Exactly as long as they must be, so that a byte too far is seen; `data` over and over.
std::vector<std::byte> filled(std::int64_t count, zp::Bytes data) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count));
  for (std::size_t i = 0; !data.empty() && i < bytes.size(); ++i) bytes[i] = data[i % data.size()];
  return bytes;
}

bool same(float x, float y) {
  return (std::isnan(x) && std::isnan(y)) ||
         std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
}

std::vector<float> decoded(const zp::Grid& grid, const Planes& planes, std::int64_t rows,
                           std::int64_t cols) {
  std::vector<const std::byte*> in;
  for (const auto& plane : planes) in.push_back(plane.data());
  std::vector<float> all(static_cast<std::size_t>(rows * cols));
  grid.decode(in, {all.data(), rows, cols});
  const std::vector<float> x(static_cast<std::size_t>(cols), 0.5f);
  std::vector<float> sums(static_cast<std::size_t>(rows));
  grid.products(in, x, sums);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float sum = zp::dot(x, zp::Matrix(all.data(), rows, cols).row(r));
    if (!same(sums[static_cast<std::size_t>(r)], sum)) std::abort();
  }
  return all;
}

void code(const zp::Grid& grid, zp::Bytes data, std::int64_t rows, std::int64_t cols) {
  const auto raw = filled(4 * rows * cols, data);
  std::vector<float> w(static_cast<std::size_t>(rows * cols));
  std::memcpy(w.data(), raw.data(), raw.size());
  const auto limit = static_cast<float>(std::min(grid.limit(), 1e30));
  for (float& v : w) v = std::isfinite(v) ? std::clamp(v, -limit, limit) : 0.0f;
  Planes planes;
  std::vector<std::byte*> out;
  for (std::size_t p = 0; p < grid.planes().size(); ++p) {
    planes.push_back(filled(rows * grid.row_bytes(p, cols), {}));
    out.push_back(planes.back().data());
  }
  for (const zp::Fit fit : {zp::Fit::range, zp::Fit::search}) {
    grid.quantize({w.data(), rows, cols}, {}, fit, out);
    for (const float v : decoded(grid, planes, rows, cols)) {
      if (!std::isfinite(v)) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  if (count < 3) return 0;
  const Grids& family = families()[bytes[0] % families().size()];
  const zp::Grid& grid = *family[bytes[1] % family.size()];
  const std::int64_t cols = grid.why_not(bytes[2] + 1).empty() ? bytes[2] + 1 : 256;
  const zp::Bytes data(reinterpret_cast<const std::byte*>(bytes) + 3, count - 3);
  const std::int64_t rows = grid.whole_tensor() ? 1 : kRows;
  Planes planes;
  for (std::size_t p = 0; p < grid.planes().size(); ++p) {
    planes.push_back(filled(rows * grid.row_bytes(p, cols), data));
  }
  decoded(grid, planes, rows, cols);
  code(grid, data, rows, cols);
  return 0;
}
