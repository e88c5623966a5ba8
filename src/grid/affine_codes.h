// Linear codes of one group, to and from floats.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"

namespace zp {

/// codes[i] = w[i] / scale, rounded half to even and clamped to [lowest, highest], + zero. With a
/// scale of 0 all are what 0 is. No weight is NaN; |lowest| and |highest| are at most 2^16.
void nearest_codes(Floats w, float scale, std::int32_t lowest, std::int32_t highest,
                   std::int32_t zero, std::span<std::int32_t> codes) noexcept;

/// out[i] = scale (codes[i] - zero), in FP32.
void scaled_codes(std::span<const std::int32_t> codes, float scale, std::int32_t zero,
                  std::span<float> out) noexcept;

}  // namespace zp
