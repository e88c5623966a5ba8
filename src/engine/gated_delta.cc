#include "engine/gated_delta.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/softplus.h"
#include "kernel/delta_rule.h"
#include "kernel/functions.h"
#include "kernel/matmul.h"

namespace zp {
namespace {

// Divided by its length, and times `factor`.
void normalize(Floats x, double factor, std::span<float> out) {
  constexpr double kEpsilon = 1e-6;
  const double squares = static_cast<double>(dot(x, x));
  std::ranges::copy(x, out.begin());
  scale(out, static_cast<float>(factor / std::sqrt(squares + kEpsilon)));
}

}  // namespace

float GatedDelta::kept(std::int64_t head, float decay) const {
  const auto h = static_cast<std::size_t>(head);
  const double step = softplus(static_cast<double>(decay) + static_cast<double>(bias[h]));
  return static_cast<float>(bounded_exp(-bounded_exp(static_cast<double>(rate[h])) * step));
}

void GatedDelta::compute(Matrix qkv, Matrix beta, Matrix decay, const TokenRun& run,
                         std::int64_t head, std::span<float> state, View2D<float> out) const {
  const std::int64_t of_keys = head / (heads.values / heads.keys);
  const Matrix queries = qkv.columns(of_keys * heads.key_dim, heads.key_dim);
  const Matrix keys = qkv.columns(heads.key_columns() + of_keys * heads.key_dim, heads.key_dim);
  const Matrix values =
      qkv.columns(2 * heads.key_columns() + head * heads.value_dim, heads.value_dim);
  const double natural = 1 / std::sqrt(static_cast<double>(heads.key_dim));
  std::vector<float> query(static_cast<std::size_t>(heads.key_dim));
  std::vector<float> key(query.size());
  if (run.first == 0) std::ranges::fill(state, 0.0f);
  for (std::int64_t r = run.begin; r < run.begin + run.count; ++r) {
    normalize(queries.row(r), natural, query);
    normalize(keys.row(r), 1, key);
    const auto h = static_cast<std::size_t>(head);
    const DeltaToken token{query, key, values.row(r), kept(head, decay.row(r)[h]), beta.row(r)[h]};
    delta_step(token, state, out.columns(head * heads.value_dim, heads.value_dim).row(r));
  }
}

}  // namespace zp
