// What is known of the inputs of one group of linears, ready for a coder: owns what InputStatistics
// borrows.
#pragma once

#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "calibrate/moments.h"
#include "method/method.h"

namespace zp {

class LayerInputs {
 public:
  /// Importance alone.
  explicit LayerInputs(const Moments& moments) : importance_(moments.importance()) {}
  /// Everything; the moments are used up. drift: as InputStatistics has it, in the moments' own
  /// scale, or without elements; a share of it counts, the larger the more rows it comes from.
  LayerInputs(Moments moments, std::vector<float> drift, const FeedbackOptions& options,
              const Team& team);

  InputStatistics view() const;

 private:
  std::vector<float> importance_;
  std::int64_t cols_ = 0;
  std::vector<float> moments_;
  std::vector<std::int32_t> order_;
  std::vector<float> factor_;
  std::vector<float> drift_;
  std::vector<float> damping_;
};

}  // namespace zp
