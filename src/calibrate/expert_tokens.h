// How many of a text's tokens go through each of a layer's experts, and what is done where they are
// few: all tokens of the text's beginning then go through those experts, too, for their statistics.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "calibrate/layer_statistics.h"

namespace zp {

class ExpertTokens {
 public:
  explicit ExpertTokens(std::int64_t experts) : count_(static_cast<std::size_t>(experts)) {}

  /// routes: one row for each token, one column for each expert, 0 where it doesn't go there.
  void add(Matrix routes);
  std::int64_t experts() const { return std::ssize(count_); }
  std::int64_t of(std::int64_t expert) const { return count_[static_cast<std::size_t>(expert)]; }
  /// Whether tokens from the text's `first` on go through the expert, whichever it is.
  bool takes_all(std::int64_t expert, std::int64_t first) const {
    return of(expert) < kFewTokens && first < kPooled;
  }
  /// Routes by which `tokens` tokens from `first` on go to the experts that take all, and nowhere
  /// else; empty where none does.
  std::vector<float> all_routes(std::int64_t first, std::int64_t tokens) const;

 private:
  static constexpr std::int64_t kPooled = 1024;
  std::vector<std::int64_t> count_;
};

/// Experts of the layer that less than kFewTokens tokens go through, in the model where these are
/// fewest.
std::vector<FewTokens> few_tokens(std::span<const ExpertTokens> models, std::int64_t layer);

}  // namespace zp
