// SmoothQuant (Xiao et al. 2022, arXiv 2211.10438): a share of the inputs' range goes into the
// weights, s_j = max|x_j|^alpha / max|w_j|^(1 - alpha). Made for runtimes that round activations,
// too; whether the weights lose by it is said, not searched.
#include <algorithm>

#include "kernel/elementary.h"
#include "method/rewrite.h"

namespace zp {
namespace {

constexpr double kLeast = 1e-30;

Scaling scale(const LinkedReaders& readers, const RewriteOptions& options, const Team& team) {
  const auto sources = static_cast<std::size_t>(readers.sources);
  std::vector<double> inputs(sources);
  std::vector<double> weights(sources);
  for (std::size_t j = 0; j < readers.source.size(); ++j) {
    const auto source = static_cast<std::size_t>(readers.source[j]);
    inputs[source] = std::max(inputs[source], static_cast<double>(readers.largest[j]));
    for (const LinkedReader& reader : readers.readers)
      weights[source] = std::max(weights[source], static_cast<double>(reader.largest[j]));
  }
  // A column that is nothing on one side keeps its scale.
  Scaling out{std::vector<float>(sources, 1.0f), 1};
  for (std::size_t i = 0; i < sources; ++i) {
    if (std::min(inputs[i], weights[i]) < kLeast) continue;
    out.factors[i] = static_cast<float>(portable_exp(
        options.alpha * portable_log(inputs[i]) - (1 - options.alpha) * portable_log(weights[i])));
  }
  out.loss = LinkLoss(readers, team)(out.factors);
  return out;
}

}  // namespace

extern const Rewrite rewrite_smoothquant;
const Rewrite rewrite_smoothquant{
    "smoothquant", "a share of the inputs' range moved into the weights, column by column", "alpha",
    scale};

}  // namespace zp
