#include "pipeline/fallbacks.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace zp {

Fallbacks fallbacks_of(const PlannedOutput& output, const Model& model) {
  Fallbacks out;
  double weights = 0;
  std::map<std::string, double> reasons;
  for (std::size_t i = 0; i < output.choices.size(); ++i) {
    const Choice& choice = output.choices[i];
    if (!choice.wanted_quantized) continue;
    const auto size = static_cast<double>(model.weights[i].use.rows * model.weights[i].use.cols);
    ++out.of;
    weights += size;
    if (!choice.fell_back) continue;
    ++out.tensors;
    out.share += size;
    reasons[choice.why] += size;
  }
  if (out.tensors == 0) return out;
  out.share /= weights;
  out.why = std::ranges::max_element(reasons, {}, [](const auto& r) { return r.second; })->first;
  return out;
}

std::string to_text(const Fallbacks& f) {
  return fmt::format("{} of {} tensor{} required fallback: {}", f.tensors, f.of,
                     f.of == 1 ? "" : "s", f.why);
}

}  // namespace zp
