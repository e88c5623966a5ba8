// Finds where a text that is being written says the same few tokens again and again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "text/tokenizer.h"

namespace zp {

/// Is told of tokens as they come.
class LoopFinder {
 public:
  /// Whether the last tokens are up to 32, repeated: for 24 tokens, and four times, at least. A
  /// line across a table or a deep indentation is shorter.
  bool push(TokenId id) {
    ids_.push_back(id);
    bool loops = false;
    for (std::size_t period = 1; period <= kLongest && period < ids_.size(); ++period) {
      std::size_t& same = same_[period - 1];
      same = ids_[ids_.size() - 1 - period] == id ? same + 1 : 0;
      loops = loops || same >= std::max(kTokens, kTimes * period);
    }
    return loops;
  }

 private:
  static constexpr std::size_t kLongest = 32;
  static constexpr std::size_t kTokens = 24;
  static constexpr std::size_t kTimes = 4;
  std::vector<TokenId> ids_;
  std::array<std::size_t, kLongest> same_ = {};  // tokens at the end that are as those before
};

}  // namespace zp
