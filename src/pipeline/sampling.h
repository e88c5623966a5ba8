// Which token comes next, from its logits: the likeliest, or one drawn by probability. In this
// order, as transformers does it: temperature, top k, top p. The same bits on every machine.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "base/view.h"
#include "text/tokenizer.h"

namespace zp {

struct Sampling {
  double temperature = 0;  ///< what logits are divided by; 0: always the likeliest token
  std::int64_t top_k = 0;  ///< draws among so many of the likeliest; 0: among all
  double top_p = 1;        ///< ... among the fewest likeliest that have this probability together
};

/// Throws UsageError, naming the option, for what is no such number.
void check(const Sampling& sampling);

/// Of tokens that are equally likely the one with the lower id comes first.
TokenId choose(Floats logits, const Sampling& sampling, Random& random);

}  // namespace zp
