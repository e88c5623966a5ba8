#include "engine/selective_scan.h"

#include <algorithm>

#include "engine/softplus.h"

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

StateToken SelectiveScan::token(Matrix x, Matrix steps, std::int64_t row, std::int64_t head) const {
  const auto h = static_cast<std::size_t>(head);
  const double of_token = step(head, steps.row(row)[h]);
  return {inputs(x, head).row(row),     writes(x, head).row(row), reads(x, head).row(row),
          static_cast<float>(of_token), left(head, of_token),     skip[h]};
}

void SelectiveScan::compute(Matrix x, Matrix steps, const TokenRun& run, std::int64_t head,
                            std::span<float> state, View2D<float> out) const {
  if (run.first == 0) std::ranges::fill(state, 0.0f);
  for (std::int64_t r = run.begin; r < run.begin + run.count; ++r)
    state_step(token(x, steps, r, head), state, inputs(out, head).row(r));
}

}  // namespace zp
