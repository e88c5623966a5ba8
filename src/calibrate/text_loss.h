// How a model finds a text: its loss on it, and the loss it would have on tokens that it chose
// itself in the same places, which is the entropy of what it expects there. Where the two are far
// apart, the text is of a kind that the model doesn't know.
#pragma once

#include <cstdint>
#include <vector>

#include "base/view.h"

namespace zp {

class TextLoss {
 public:
  /// logits: of what comes next; `token` came.
  void add(Floats logits, std::int32_t token);

  std::int64_t tokens() const { return tokens_; }
  double perplexity() const;
  /// Of tokens that the model chose by their probability.
  double expected_perplexity() const;

 private:
  std::int64_t tokens_ = 0;
  double loss_ = 0;      // nats, the sum
  double expected_ = 0;  // likewise
  std::vector<double> shares_;
};

}  // namespace zp
