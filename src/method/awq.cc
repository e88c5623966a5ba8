// AWQ (Lin et al. 2023, arXiv 2306.00978): columns whose inputs are large are scaled up before
// rounding, and what makes these inputs scaled down, so that rounding costs them less.
//
// s_j = (root mean square of x_j)^a, a searched in twenty steps from 0 to 1, normalised by the root
// of largest times smallest; the paper takes the mean magnitude, which second moments don't hold.
// The best by the outputs' error on the calibration text (LinkLoss); a = 0 is among them, so that
// error never grows. That is the error of rounding to nearest: gptq behind it leaves another, which
// may grow. (Factors rounded to powers of two would change no bit of the float model, but
// leave next to nothing of the gain: on models without outliers most become 1.) The paper's search
// for a clip of each group is what every grid's own fit does already: it chooses the scale, and so
// the range, for the least weighted error.
#include <algorithm>
#include <cmath>

#include "kernel/elementary.h"
#include "method/scaling.h"

namespace zp {
namespace {

constexpr int kSteps = 20;
constexpr double kLeast = 1e-300;  // a mean square below is none

// Of each source the logarithm of the inputs' mean square over the columns that share it, with a
// hundredth of the mean of all, so that none is nothing; of a source that no column has, NaN.
std::vector<double> log_squares(const LinkedReaders& readers) {
  std::vector<double> sums(static_cast<std::size_t>(readers.sources));
  std::vector<double> columns(sums.size());
  double mean = 0;
  for (std::size_t j = 0; j < readers.source.size(); ++j) {
    const auto source = static_cast<std::size_t>(readers.source[j]);
    const double h = readers.moments.row(static_cast<std::int64_t>(j))[j];
    sums[source] += h;
    columns[source] += 1;
    mean += h / static_cast<double>(readers.source.size());
  }
  if (!(mean >= kLeast)) return {};
  for (std::size_t i = 0; i < sums.size(); ++i)
    sums[i] = columns[i] > 0 ? portable_log(sums[i] / columns[i] + mean / 100) : NAN;
  return sums;
}

// So that the largest times the smallest is 1.
std::vector<float> factors_of(const std::vector<double>& logs, double a) {
  double least = INFINITY;
  double most = -INFINITY;
  for (const double log : logs) {
    least = std::fmin(least, log);
    most = std::fmax(most, log);
  }
  std::vector<float> factors;
  for (const double log : logs) {
    const double own = std::isnan(log) ? 0 : a / 2 * (log - (least + most) / 2);
    factors.push_back(static_cast<float>(portable_exp(own)));
  }
  return factors;
}

class Awq final : public ScalingRewrite {
 public:
  Awq()
      : ScalingRewrite(
            "awq",
            "columns scaled up before rounding where their inputs are large, as far as that "
            "helps") {}

  Scaling scale(const LinkedReaders& readers, const Team& team) const override {
    Scaling best{std::vector<float>(static_cast<std::size_t>(readers.sources), 1.0f), 1};
    const std::vector<double> logs = log_squares(readers);
    if (logs.empty()) return best;
    const LinkLoss loss(readers, team);
    for (int step = 1; step <= kSteps; ++step) {
      std::vector<float> factors = factors_of(logs, static_cast<double>(step) / kSteps);
      const double found = loss(factors);
      if (found < best.loss) best = {std::move(factors), found};
    }
    return best;
  }
};

}  // namespace

std::unique_ptr<Rewrite> rewrite_awq() { return std::make_unique<Awq>(); }

}  // namespace zp
