#include "calibrate/text_loss.h"

#include <algorithm>
#include <cmath>

#include "kernel/distribution.h"

namespace zp {

void TextLoss::add(Floats logits, std::int32_t token) {
  const float largest = *std::ranges::max_element(logits);
  shares_.resize(logits.size());
  shares(logits, largest, 1, shares_);
  double sum = 0;
  double below = 0;  // of what logits are below the largest, by their shares
  for (std::size_t i = 0; i < logits.size(); ++i) {
    sum += shares_[i];
    if (shares_[i] > 0) below += shares_[i] * static_cast<double>(largest - logits[i]);
  }
  const double all = log_sum(logits);
  loss_ += all - static_cast<double>(logits[static_cast<std::size_t>(token)]);
  expected_ += all - static_cast<double>(largest) + below / sum;
  ++tokens_;
}

double TextLoss::perplexity() const { return std::exp(loss_ / static_cast<double>(tokens_)); }

double TextLoss::expected_perplexity() const {
  return std::exp(expected_ / static_cast<double>(tokens_));
}

}  // namespace zp
