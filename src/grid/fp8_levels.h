// The finite values of FP8 E4M3.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "number/fp8.h"

namespace zp {

/// Ascending, each once.
inline std::vector<double> fp8_levels() {
  std::vector<double> levels;
  for (int code = 0; code < 256; ++code) {
    const float value = fp8_e4m3_to_float(static_cast<std::uint8_t>(code));
    if (std::isfinite(value)) levels.push_back(value);
  }
  std::ranges::sort(levels);
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  return levels;
}

}  // namespace zp
