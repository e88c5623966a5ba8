#include "pipeline/outcome.h"

#include <algorithm>
#include <vector>

#include "kernel/matmul.h"
#include "method/output_error.h"

namespace zp {

Zeroed& Zeroed::operator+=(const Zeroed& other) {
  zeroed += other.zeroed;
  blocks += other.blocks;
  return *this;
}

namespace {

Zeroed count_zeroed(const Grid& grid, Matrix w, Matrix decoded) {
  const auto block = static_cast<std::size_t>(grid.shape(w.cols).block);
  const auto is_zero = [](float v) { return v == 0; };
  Zeroed out;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const Floats before = w.row(r), after = decoded.row(r);
    for (std::size_t b = 0; b < before.size(); b += block) {
      const std::size_t size = std::min(block, before.size() - b);
      ++out.blocks;
      if (std::ranges::all_of(after.subspan(b, size), is_zero) &&
          !std::ranges::all_of(before.subspan(b, size), is_zero))
        ++out.zeroed;
    }
  }
  return out;
}

}  // namespace

Outcome& Outcome::operator+=(const Outcome& other) {
  weights += other.weights;
  blocks += other.blocks;
  kept += other.kept;
  outputs += other.outputs;
  seen += other.seen;
  held_out += other.held_out;
  weighing = std::max(weighing, other.weighing);
  return *this;
}

Outcome outcome_of(const Grid& grid, Matrix w, Matrix decoded, const InputStatistics& inputs,
                   std::optional<double> left) {
  const auto size = static_cast<std::size_t>(w.rows * w.cols);
  Outcome out;
  out.weights = energy({w.data, size}, {decoded.data, size});
  out.blocks = count_zeroed(grid, w, decoded);
  out.outputs = output_energy(w, decoded, inputs, left);
  out.weighing = inputs.moments.cols == w.cols ? Weighing::moments
                 : inputs.importance.empty()   ? Weighing::none
                                               : Weighing::importance;
  return out;
}

Energy sampled_energy(Matrix w, Matrix decoded, const InputSample& sample) {
  const std::int64_t tokens = sample.expected.rows;
  if (tokens == 0 || sample.expected.cols != w.cols) return {};
  std::vector<float> before(static_cast<std::size_t>(w.rows * tokens));
  std::vector<float> after(before.size());
  matmul(w, sample.expected, {before.data(), w.rows, tokens});
  matmul(decoded, sample.came, {after.data(), w.rows, tokens});
  return energy(before, after);
}

namespace {

std::optional<Energy> share(const Energy& outputs, double weights) {
  if (!(outputs.signal > 0)) return {};
  return Energy{weights, weights * (outputs.error / outputs.signal)};
}

}  // namespace

std::optional<Energy> output_share(const Outcome& outcome, double weights) {
  return share(outcome.outputs, weights);
}

std::optional<HeldOut> held_out_share(const Outcome& outcome, double weights) {
  const std::optional<Energy> seen = share(outcome.seen, weights);
  const std::optional<Energy> held_out = share(outcome.held_out, weights);
  if (!seen || !held_out) return {};
  return HeldOut{*seen, *held_out};
}

}  // namespace zp
