// Matrices that can't take the grid that was asked for them, as one figure: a file may be far from
// what was asked, and no error says so.
#pragma once

#include <cstdint>
#include <string>

#include "pipeline/plan.h"

namespace zp {

struct Fallbacks {
  std::int64_t tensors = 0;  ///< that have another grid than their rule says
  std::int64_t of = 0;       ///< those a rule wants quantized
  double share = 0;          ///< of these tensors' weights
  std::string why;           ///< of most of these weights

  /// Whether people must be told: nothing is as asked, or more than a tenth is not.
  bool matter() const { return tensors > 0 && (tensors == of || share > 0.1); }
};

Fallbacks fallbacks_of(const PlannedOutput& output, const Model& model);

/// "35 of 47 tensors required fallback: 48 columns are no multiple of 64, so not int4:g64:min:s32"
std::string to_text(const Fallbacks& fallbacks);

}  // namespace zp
