#include "engine/gated_delta.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/softplus.h"
#include "kernel/functions.h"
#include "kernel/matmul.h"

namespace zp {
namespace {

// Divided by its length, and times `factor`.
void normalize(Floats x, double factor, std::span<float> out) {
  std::ranges::copy(x, out.begin());
  scale(out, static_cast<float>(factor * inverse_length(x)));
}

}  // namespace

double inverse_length(Floats x) noexcept {
  constexpr double kEpsilon = 1e-6;
  return 1 / std::sqrt(static_cast<double>(dot(x, x)) + kEpsilon);
}

double GatedDelta::natural() const { return 1 / std::sqrt(static_cast<double>(heads.key_dim)); }

float GatedDelta::kept(std::int64_t head, float decay) const {
  const auto h = static_cast<std::size_t>(head);
  const double step = softplus(static_cast<double>(decay) + static_cast<double>(bias[h]));
  return static_cast<float>(bounded_exp(-bounded_exp(static_cast<double>(rate[h])) * step));
}

DeltaToken GatedDelta::token(Matrix qkv, Matrix beta, Matrix decay, std::int64_t row,
                             std::int64_t head, std::span<float> query,
                             std::span<float> key) const {
  const auto h = static_cast<std::size_t>(head);
  normalize(queries(qkv, head).row(row), natural(), query);
  normalize(keys(qkv, head).row(row), 1, key);
  return {query, key, values(qkv, head).row(row), kept(head, decay.row(row)[h]), beta.row(row)[h]};
}

void GatedDelta::compute(Matrix qkv, Matrix beta, Matrix decay, const TokenRun& run,
                         std::int64_t head, std::span<float> state, View2D<float> out) const {
  std::vector<float> query(static_cast<std::size_t>(heads.key_dim));
  std::vector<float> key(query.size());
  if (run.first == 0) std::ranges::fill(state, 0.0f);
  for (std::int64_t r = run.begin; r < run.begin + run.count; ++r)
    delta_step(token(qkv, beta, decay, r, head, query, key), state,
               out.columns(head * heads.value_dim, heads.value_dim).row(r));
}

}  // namespace zp
