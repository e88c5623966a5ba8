// SmoothQuant (Xiao et al. 2022, arXiv 2211.10438): a share of the inputs' range goes into the
// weights, s_j = max|x_j|^alpha / max|w_j|^(1 - alpha). Made for runtimes that round activations,
// too; whether the weights lose by it is said, not searched.
#include <algorithm>

#include "kernel/elementary.h"
#include "method/scaling.h"

namespace zp {
namespace {

constexpr double kLeast = 1e-30;

class SmoothQuant final : public ScalingRewrite {
 public:
  SmoothQuant()
      : ScalingRewrite("smoothquant",
                       "a share of the inputs' range moved into the weights, column by column") {
    take({number_within("alpha", "X", alpha_, 0.0, 1.0)});
  }

  Scaling scale(const LinkedReaders& readers, const Team& team) const override {
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
      out.factors[i] = static_cast<float>(
          portable_exp(alpha_ * portable_log(inputs[i]) - (1 - alpha_) * portable_log(weights[i])));
    }
    out.loss = LinkLoss(readers, team)(out.factors);
    return out;
  }

 private:
  double alpha_ = 0.5;  // how much of the inputs' range goes into the weights
};

}  // namespace

std::unique_ptr<Rewrite> rewrite_smoothquant() { return std::make_unique<SmoothQuant>(); }

}  // namespace zp
