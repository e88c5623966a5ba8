#include "calibrate/expert_tokens.h"

#include <algorithm>

#include "engine/expert_rows.h"

namespace zp {

void ExpertTokens::add(Matrix routes) {
  const ExpertRows rows(routes);
  for (std::size_t e = 0; e < count_.size(); ++e)
    count_[e] += rows.count(static_cast<std::int64_t>(e));
}

std::vector<float> ExpertTokens::all_routes(std::int64_t first, std::int64_t tokens) const {
  std::vector<float> row;
  for (std::int64_t e = 0; e < std::ssize(count_); ++e)
    row.push_back(takes_all(e, first) ? 1.0f : 0.0f);
  std::vector<float> routes;
  if (std::ranges::count(row, 1.0f) == 0) return routes;
  for (std::int64_t t = 0; t < tokens; ++t) routes.insert(routes.end(), row.begin(), row.end());
  return routes;
}

std::vector<FewTokens> few_tokens(std::span<const ExpertTokens> models, std::int64_t layer) {
  std::vector<FewTokens> few;
  for (std::int64_t e = 0; e < models.front().experts(); ++e) {
    const auto of = [e](const ExpertTokens& tokens) { return tokens.of(e); };
    const std::int64_t least = of(*std::ranges::min_element(models, {}, of));
    if (least < kFewTokens) few.push_back({layer, e, least});
  }
  return few;
}

}  // namespace zp
