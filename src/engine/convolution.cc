#include "engine/convolution.h"

#include <algorithm>

#include "kernel/functions.h"

namespace zp {

void Convolution::compute(Matrix x, const TokenRun& run, Floats state, std::int64_t row,
                          std::span<float> out) const {
  const std::int64_t before = taps.rows - 1;
  const std::int64_t token = run.first + row - run.begin;
  if (bias.empty()) {
    std::ranges::fill(out, 0.0f);
  } else {
    std::ranges::copy(bias, out.begin());
  }
  const Matrix kept(state.data(), before, taps.cols);
  for (std::int64_t i = std::max(before - token, std::int64_t{0}); i <= before; ++i) {
    const std::int64_t seen = token - (before - i);
    const Floats values =
        seen < run.first ? kept.row(seen % before) : x.row(run.begin + seen - run.first);
    multiply_add(out, values, taps.row(i));
  }
}

void Convolution::keep(Matrix x, const TokenRun& run, std::span<float> state) const {
  const std::int64_t before = taps.rows - 1;
  const View2D<float> kept(state.data(), before, taps.cols);
  for (std::int64_t i = std::max(run.count - before, std::int64_t{0}); i < run.count; ++i)
    std::ranges::copy(x.row(run.begin + i), kept.row((run.first + i) % before).begin());
}

}  // namespace zp
