#include "model/hadamard.h"

#include <bit>
#include <cmath>

#include "base/random.h"

namespace zp {
namespace {

// x and y <- x + y and x - y, element by element.
void butterfly(std::span<float> x, std::span<float> y) noexcept {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float sum = x[i] + y[i];
    y[i] = x[i] - y[i];
    x[i] = sum;
  }
}

float factor_of(std::int64_t block) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(block)));
}

}  // namespace

Rotation random_rotation(std::int64_t width, std::uint64_t seed) {
  Rotation out;
  out.block = std::int64_t{1} << std::countr_zero(static_cast<std::uint64_t>(width));
  Random random(seed);
  for (std::int64_t i = 0; i < width; ++i) out.signs.push_back(random.bits() >> 63 ? -1.0f : 1.0f);
  return out;
}

void rotate(const Rotation& rotation, std::span<float> x) noexcept {
  const auto block = static_cast<std::size_t>(rotation.block);
  const float factor = factor_of(rotation.block);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= rotation.signs[i % rotation.signs.size()];
  for (std::size_t at = 0; at < x.size(); at += block) {
    for (std::size_t half = 1; half < block; half *= 2) {
      for (std::size_t i = at; i < at + block; i += 2 * half)
        butterfly(x.subspan(i, half), x.subspan(i + half, half));
    }
  }
  for (float& value : x) value *= factor;
}

void rotate_columns(const Rotation& rotation, std::int64_t begin, View2D<float> x) noexcept {
  const std::int64_t block = rotation.block;
  const float factor = factor_of(block);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const float by =
        factor * rotation.signs[static_cast<std::size_t>((begin + r) % rotation.width())];
    for (float& value : x.row(r)) value *= by;
  }
  for (std::int64_t at = 0; at < x.rows; at += block) {
    for (std::int64_t half = 1; half < block; half *= 2) {
      for (std::int64_t r = at; r < at + block; r += 2 * half) {
        for (std::int64_t k = r; k < r + half; ++k) butterfly(x.row(k), x.row(k + half));
      }
    }
  }
}

}  // namespace zp
