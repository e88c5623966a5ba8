#include "engine/selective_scan.h"

#include <algorithm>

#include "engine/softplus.h"
#include "kernel/state_step.h"

namespace zp {

double SelectiveScan::step(std::int64_t head, float said) const {
  const auto bias_of = static_cast<double>(bias[static_cast<std::size_t>(head)]);
  return std::clamp(softplus(static_cast<double>(said) + bias_of), space.least_step,
                    space.most_step);
}

float SelectiveScan::left(std::int64_t head, double step) const {
  const auto rate_of = static_cast<double>(rate[static_cast<std::size_t>(head)]);
  return static_cast<float>(bounded_exp(-bounded_exp(rate_of) * step));
}

void SelectiveScan::compute(Matrix x, Matrix steps, const TokenRun& run, std::int64_t head,
                            std::span<float> state, View2D<float> out) const {
  const std::int64_t of_group = head / (space.heads / space.groups) * space.state;
  const Matrix inputs = x.columns(head * space.head_dim, space.head_dim);
  const Matrix writes = x.columns(space.columns() + of_group, space.state);
  const Matrix reads =
      x.columns(space.columns() + space.groups * space.state + of_group, space.state);
  const auto h = static_cast<std::size_t>(head);
  if (run.first == 0) std::ranges::fill(state, 0.0f);
  for (std::int64_t r = run.begin; r < run.begin + run.count; ++r) {
    const double of_token = step(head, steps.row(r)[h]);
    const StateToken token{inputs.row(r),        writes.row(r),
                           reads.row(r),         static_cast<float>(of_token),
                           left(head, of_token), skip[h]};
    state_step(token, state, out.columns(head * space.head_dim, space.head_dim).row(r));
  }
}

}  // namespace zp
